"""Any bytes as a profile, a trace, a recording or a gauge's word: each is read, or refused."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.governor.gauge import told
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.profile import PUBLISHED
from edge_daemon.governor.profilefile import ProfileError, choose_profile, parse_profile
from edge_daemon.governor.record import Header, Recorder
from edge_daemon.governor.script import TraceError, read_trace
from edge_daemon.review.opening import open_trace
from edge_daemon.tier import Tier
from tests.fuzz.amount import cases, source
from tests.fuzz.mutation import mutant
from tests.journal.samples import HOLDS, READING

ROOT = Path(__file__).resolve().parents[2]
PROFILE = msgspec.json.format(msgspec.json.encode(PUBLISHED))
TRACE = (ROOT / "edge_daemon/demo/trace.jsonl").read_bytes()
CHARGES = (
    b"73 %",
    b'{"percent": 73, "charging": false, "power_w": 3.2, "energy_wh": 21.5, "runtime_s": 24000}',
)

Use = Callable[[bytes], object]


def recording(path: Path) -> bytes:
    header = Header(1, "0.1.0", "Raspberry Pi", "digits 1.0.0", "9f2c", Tier.HIGH)
    recorder = Recorder(path, header, max_bytes=1 << 20, on_end=pytest.fail)
    recorder.poll(READING, HOLDS, Tier.LOW, PUBLISHED, Limits())
    recorder.swap_failed(Tier.HIGH)
    recorder.close()
    return path.read_bytes()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("small") / "file"


def a_profile(text: bytes) -> object:
    try:
        return parse_profile(text)
    except ProfileError:
        return None


def a_charge(text: bytes) -> object:
    try:
        return told(text, "the gauge")
    except ValueError as error:
        assert str(error).startswith("the gauge says ")
        return None


def a_trace(file: Path) -> Use:
    def use(text: bytes) -> object:
        file.write_bytes(text)
        try:
            return read_trace(file)
        except TraceError as error:
            assert str(error).startswith(str(file))
            return None

    return use


def a_recording(file: Path) -> Use:
    def use(text: bytes) -> object:
        file.write_bytes(text)
        try:
            return list(open_trace(file).steps) or True
        except TraceError as error:
            assert str(error).startswith(str(file))
            return None

    return use


def some_of_both(name: str, seeds: tuple[bytes, ...], use: Use) -> None:
    rng = source(name)
    results = [use(mutant(rng, rng.choice(seeds), seeds)) for _ in range(cases(400))]
    assert None in results
    assert any(result is not None for result in results)


def test_spoiled_profiles() -> None:
    some_of_both("profile", (PROFILE,), a_profile)


def test_spoiled_charges() -> None:
    some_of_both("charge", CHARGES, a_charge)


def test_spoiled_traces(file: Path) -> None:
    some_of_both("trace", (TRACE,), a_trace(file))


def test_spoiled_recordings(file: Path, tmp_path: Path) -> None:
    some_of_both("recording", (recording(tmp_path / "good"),), a_recording(file))


@given(st.binary(max_size=300))
def test_any_bytes(file: Path, text: bytes) -> None:
    for use in (a_profile, a_charge, a_trace(file), a_recording(file)):
        use(text)


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b'{"at_s":"\xff"}'])
def test_deep_ones_and_what_is_no_unicode(file: Path, text: bytes) -> None:
    for use in (a_profile, a_charge, a_trace(file), a_recording(file)):
        assert use(text) is None


def test_a_profile_that_is_no_unicode_leaves_the_published_table(tmp_path: Path) -> None:
    (tmp_path / "profile-any-0123456789ab-board.json").write_bytes(b'{"board": "\xff"}')
    choice = choose_profile(f"{tmp_path}/", "0123456789abcdef", "board")
    assert (choice.profile, choice.trouble) == (PUBLISHED, True)


def test_a_trace_that_never_ends_is_refused() -> None:
    with pytest.raises(TraceError, match="/dev/zero: larger than 64 MiB"):
        read_trace(Path("/dev/zero"))
