"""Any bytes as `bundle.yaml`: a sound manifest, or an error that names the field."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.inference.manifest import ManifestError, parse_manifest
from tests.fuzz.amount import cases, source
from tests.fuzz.mutation import mutant
from tests.fuzz.test_config import BOMBS, MOST_S

ROOT = Path(__file__).resolve().parents[2]
SEED = (ROOT / "models/avdigits/bundle.yaml").read_bytes()
LATTICE = b"""
format: 1
name: &a [x, x, x, x, x, x, x, x, x]
version: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
labels: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
tiers: {critical: &d [*c, *c, *c, *c, *c, *c], low: [*d, *d, *d, *d, *d, *d]}
"""


def refused(raw: bytes) -> bool:
    try:
        manifest = parse_manifest(raw)
    except ManifestError as error:
        assert ": " in str(error)
        return True
    texts = (manifest.name, manifest.version, *manifest.labels)
    assert all(text.isprintable() for text in texts)
    return False


def test_spoiled_manifests() -> None:
    rng = source("manifest")
    outcomes = {refused(mutant(rng, SEED)) for _ in range(cases(150))}
    assert outcomes == {True, False}


@given(st.binary(max_size=300))
def test_any_bytes(raw: bytes) -> None:
    assert refused(raw)


@pytest.mark.parametrize("raw", [*BOMBS.values(), LATTICE], ids=[*BOMBS, "lattice"])
def test_what_is_made_to_take_long_does_not(raw: bytes) -> None:
    started_s = time.monotonic()
    assert refused(raw)
    assert time.monotonic() - started_s < MOST_S


@pytest.mark.parametrize("field", ["name", "version"])
def test_a_line_end_is_no_part_of_a_name(field: str) -> None:
    (line,) = (line for line in SEED.decode().splitlines() if line.startswith(f"{field}:"))
    value = line.partition(": ")[2].strip("'\"")
    text = SEED.decode().replace(line, f'{field}: "{value}\\n"', 1)
    with pytest.raises(ManifestError, match=f"{field}: "):
        parse_manifest(text.encode())
