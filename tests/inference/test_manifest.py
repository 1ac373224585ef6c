import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_daemon.inference.bundle import Bundle
from edge_daemon.inference.manifest import (
    MAX_BYTES,
    Manifest,
    ManifestError,
    dump_manifest,
    parse_manifest,
)
from edge_daemon.tier import TIERS, Tier
from tests.inference.scenes import AVDIGITS, BARS

Document = dict[str, Any]
TEXT = (BARS / "bundle.yaml").read_bytes()


def document() -> Document:
    loaded: Document = yaml.safe_load(TEXT)
    return loaded


def parse(changed: Document) -> Manifest:
    return parse_manifest(yaml.safe_dump(changed).encode())


def paths(node: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the way to every value."""
    items: list[tuple[str | int, object]] = []
    if isinstance(node, dict):
        items = list(node.items())
    elif isinstance(node, list):
        items = list(enumerate(node))
    for key, value in items:
        yield (*path, key)
        yield from paths(value, (*path, key))


def put(changed: Document, path: tuple[str | int, ...], value: object) -> None:
    node: Any = changed
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value


def test_it_reads_the_manifest() -> None:
    manifest = parse_manifest(TEXT)
    assert manifest.name == "bars"
    assert manifest.labels == ("first", "second", "third", "fourth")
    assert tuple(manifest.tiers) == TIERS
    assert manifest.tiers[Tier.LOW].inputs.audio is None
    audio = manifest.tiers[Tier.MEDIUM].inputs.audio
    assert audio is not None
    assert (audio.columns, audio.kept_bands, audio.range_db) == (40, 40, (-60.0, 0.0))


@pytest.mark.parametrize("bundle", [BARS, AVDIGITS], ids=["bars", "avdigits"])
def test_what_is_written_reads_the_same(bundle: Any) -> None:
    manifest = parse_manifest((bundle / "bundle.yaml").read_bytes())
    assert parse_manifest(dump_manifest(manifest)) == manifest


@pytest.mark.parametrize("labels", ["[no, yes, on, off]", "[0, 1, 2, 3]", "[1.10, 1.1, null, ~]"])
def test_labels_are_the_words_that_stand_there(labels: str) -> None:
    text = TEXT.replace(b"[first, second, third, fourth]", labels.encode())
    expected = tuple(labels.strip("[]").split(", "))
    assert parse_manifest(text).labels == expected
    assert parse_manifest(dump_manifest(parse_manifest(text))).labels == expected


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("format",), 2, "format: 2; this version reads format 1"),
        (("name",), "Bars!", "name: expected `str` matching"),
        (("version",), "1.0", "version: expected `str` matching"),
        (("labels",), ["one"], "labels: expected `array` of length >= 2"),
        (("labels", 2), "first", r"labels\[2\]: first is there twice"),
        (("labels", 1), "", r"labels\[1\]: '' is empty"),
        (("labels", 1), "second ", r"labels\[1\]: 'second ' is empty, has spaces"),
        (("labels", 0), "unknown", r"labels\[0\]: unknown is what an unsure answer says"),
        (("lables",), [], r"lables: unknown field; did you mean labels\?"),
        (("tiers", "hihg"), {}, r"tiers.hihg: no such tier; did you mean high\?"),
        (("tiers", "low", "sha265"), "", r"tiers.low.sha265: unknown field; did you mean sha256"),
        (("tiers", "low", "sha256"), "abc", "tiers.low.sha256: expected `str` matching"),
        (("tiers", "low", "bytes"), 0, "tiers.low.bytes: expected `int` >= 1"),
        (("tiers", "low", "output"), "logit", "tiers.low.output: invalid enum value 'logit'"),
        (("tiers", "low", "inputs", "image", "height"), "tall", "tiers.low.inputs.image.height: "),
        (("tiers", "low", "inputs", "image", "height"), 5000, "image.height: at most 4096"),
        (("tiers", "low", "inputs", "image", "range"), [0.0, 0.0], "image.range: needs two"),
        (("tiers", "low", "inputs", "image", "range"), [0, "nan"], "image.range: needs two"),
        (
            ("tiers", "high", "inputs", "audio", "band_slice"),
            [10, 50],
            "tiers.high.inputs.audio.band_slice: needs 0 <= first < last",
        ),
        (("tiers", "high", "inputs", "audio", "band_slice"), [9, 9], "band_slice: needs"),
        (("tiers", "high", "inputs", "audio", "high_hz"), 5000, "high_hz: above low_hz"),
        (("tiers", "high", "inputs", "audio", "low_hz"), -1, "low_hz: from 0 to below 4000"),
        (("tiers", "high", "inputs", "audio", "window"), 9000, "window: at most the 8000 samples"),
        (("tiers", "high", "inputs", "audio", "range_db"), [0, -60], "range_db: needs two"),
        (("tiers", "high", "inputs", "audio", "lead"), -1, "lead: from 0"),
        (("tiers", "high", "inputs", "audio", "span_ms"), 10**9, "span_ms: at most 60000"),
        (
            ("tiers", "high", "inputs", "audio", "hop"),
            100,
            "inputs.audio.hop: 80, but 100 in high; tiers that listen share one spectrogram",
        ),
        (("tiers", "high", "inputs", "audio", "sample_rate_hz"), 16000, "share one spectrogram"),
        (
            ("tiers", "low", "accuracy"),
            [{"protocol": "live", "value": 1.5, "samples": 10}],
            r"tiers.low.accuracy\[0\].value: expected `float` <= 1.0",
        ),
    ],
)
def test_what_is_wrong_is_named(path: tuple[str | int, ...], value: object, message: str) -> None:
    changed = document()
    put(changed, path, value)
    with pytest.raises(ManifestError, match=message):
        parse(changed)


def test_tiers_may_listen_to_other_bands_at_another_stride() -> None:
    changed = document()
    audio = ("tiers", "medium", "inputs", "audio")
    for name, value in {"band_slice": [0, 32], "stride": 2, "columns": 20, "lead": 2}.items():
        put(changed, (*audio, name), value)
    tiers = parse(changed).tiers
    medium, high = tiers[Tier.MEDIUM].inputs.audio, tiers[Tier.HIGH].inputs.audio
    assert medium is not None and high is not None
    assert (medium.kept_bands, medium.stride, medium.columns) == (32, 2, 20)
    assert (high.kept_bands, high.stride, high.columns) == (40, 1, 64)


@pytest.mark.parametrize(
    ("tier", "needed"), [("high", True), ("medium", True), ("low", False), ("critical", False)]
)
def test_a_tier_that_listens_may_need_a_picture_all_the_same(tier: str, needed: bool) -> None:
    def needs_picture(manifest: Manifest) -> bool:
        return Bundle(
            BARS, "", manifest.name, manifest.version, manifest.labels, manifest.tiers
        ).needs_picture

    assert not needs_picture(parse(document()))
    changed = document()
    changed["tiers"][tier]["inputs"]["needs_image"] = True
    manifest = parse(changed)
    assert manifest.tiers[Tier(tier)].inputs.needs_image
    assert parse_manifest(dump_manifest(manifest)) == manifest
    assert needs_picture(manifest) is needed


@pytest.mark.parametrize("tier", TIERS)
def test_all_four_tiers_are_needed(tier: Tier) -> None:
    changed = document()
    del changed["tiers"][tier]
    with pytest.raises(ManifestError, match=f"tiers: {tier} missing"):
        parse(changed)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "whole file"),
        (b"- a\n- b\n", "whole file"),
        (b"{unclosed: [", "is not YAML"),
        (b"\xff\xfe\x00", "is not YAML"),
        (b"a: !!python/object/apply:os.system [true]", "unknown field"),
        (b"[" * 1200, "nested too deeply"),
        (b" " * (MAX_BYTES + 1), "at most"),
        (TEXT + b"name: again\n", "name: given twice"),
        (TEXT.replace(b"  low:", b"  high:"), "high: given twice"),
    ],
)
def test_what_is_no_manifest_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        parse_manifest(text)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["nan", "-.inf", "1e999", "null", "~", "0x10", "2001-99-99", "../x", "\0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_changed_value_is_refused_cleanly_or_valid(data: st.DataObject) -> None:
    changed = copy.deepcopy(document())
    for path in data.draw(st.lists(st.sampled_from(list(paths(document()))), max_size=3)):
        try:
            put(changed, path, data.draw(VALUES))
        except (TypeError, KeyError, IndexError):
            continue  # an earlier change removed the way there
    survives(yaml.safe_dump(changed, allow_unicode=True).encode("utf-8", "surrogatepass"))


@settings(max_examples=150, deadline=None)
@given(
    at=st.integers(0, len(TEXT) - 1),
    cut=st.integers(0, 40),
    inserted=st.binary(max_size=8) | st.text(alphabet="{}[]:,-&*!|>'\"%@`#?~ \n\t<0", max_size=6),
)
def test_any_changed_text_is_refused_cleanly_or_valid(
    at: int, cut: int, inserted: bytes | str
) -> None:
    new = inserted if isinstance(inserted, bytes) else inserted.encode()
    survives(TEXT[:at] + new + TEXT[at + cut :])


def survives(text: bytes) -> None:
    """Whatever it is, it is a ManifestError or a manifest that can be written and read again."""
    try:
        manifest = parse_manifest(text)
    except ManifestError as error:
        assert str(error)
        return
    assert tuple(manifest.tiers) == TIERS
    assert parse_manifest(dump_manifest(manifest)) == manifest
