"""Profiles on a real disk."""

import json
import math
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_daemon.governor.profile import PUBLISHED, Profile, TierCost
from edge_daemon.governor.profilefile import (
    ProfileError,
    board_name,
    choose_profile,
    find_profile,
    parse_profile,
    profile_path,
    read_profile,
    write_profile,
)
from edge_daemon.tier import TIERS, Tier
from tests.governor.sysroot import board
from tests.governor.test_profile import changed

SHA = "9a5adfd9d13e50d1beb0766025dcc225b78d87b8708cd51a94e2974237f755b7"
PI = "Raspberry Pi 5 Model B Rev 1.0"
MEASURED = replace(
    PUBLISHED,
    measured=True,
    bundle="avdigits 0.2.0",
    bundle_sha256=SHA,
    board=PI,
    made="2026-03-19T23:59:58+00:00",
)


def where(directory: Path, profile: Profile = MEASURED) -> Path:
    return profile_path(directory, "avdigits", profile.bundle_sha256, profile.board)


def kept(directory: Path, profile: Profile = MEASURED) -> Path:
    """Write a profile where it belongs, and return its path."""
    path = where(directory, profile)
    write_profile(path, profile)
    return path


def spoilt(path: Path, change: dict[str, Any]) -> str:
    """Write the profile with values replaced (None removes one) and return what reading says."""
    document = json.loads(path.read_text())
    for key, value in change.items():
        *parents, last = key.split(".")
        place = document
        for parent in parents:
            place = place[parent]
        if value is None:
            del place[last]
        else:
            place[last] = value
    path.write_text(json.dumps(document))
    with pytest.raises(ProfileError) as refused:
        read_profile(path)
    return str(refused.value)


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    """Any profile that is in order."""
    amount = st.floats(0.0, 1e9)
    text = st.text(st.characters(codec="utf-8"), max_size=40)

    def rising(values: st.SearchStrategy[float]) -> list[float]:
        return sorted(draw(st.lists(values, min_size=4, max_size=4)))

    cycle_ms = rising(st.floats(1e-6, 1e8))
    cpu_ms, memory_mib, power_w = rising(amount), rising(amount), rising(amount)
    knows_power = draw(st.booleans())
    tiers = {
        tier: TierCost(
            accuracy=draw(st.floats(0.0, 1.0)),
            cycle_ms=cycle_ms[tier.rank],
            cycle_p95_ms=cycle_ms[tier.rank] * draw(st.floats(1.0, 9.0)),
            cpu_ms=cpu_ms[tier.rank],
            memory_mib=memory_mib[tier.rank],
            prepare_ms=draw(amount),
            gap_ms=draw(amount),
            power_w=power_w[tier.rank] if knows_power else None,
        )
        for tier in TIERS
    }
    return Profile(
        measured=draw(st.booleans()),
        tiers=tiers,
        bundle=draw(text),
        bundle_sha256=draw(text),
        board=draw(text),
        cores=draw(st.floats(0.0, 4096.0, exclude_min=True)),
        period_ms=draw(st.floats(1.0, 60_000.0)),
        contention=draw(amount),
        slowed=draw(st.floats(0.0, 1.0, exclude_min=True)),
        made=draw(text),
        protocol=draw(text),
        runtime=draw(text),
        threads=draw(st.integers(1, 16)),
    )


@settings(max_examples=40)  # each is brought to the disk
@given(profiles())
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, one: Profile) -> None:
    path = tmp_path_factory.getbasetemp() / "round-trip.json"
    write_profile(path, one)
    assert read_profile(path) == one


@given(st.binary(max_size=200) | st.sampled_from([b"[]", b"1e999", b"[" * 100_000, b" " * 70_000]))
def test_no_bytes_raise_anything_else(text: bytes) -> None:
    with pytest.raises(ProfileError):
        parse_profile(text)


def test_the_name_tells_bundle_and_board(tmp_path: Path) -> None:
    name = "profile-avdigits-9a5adfd9d13e-raspberry-pi-5-model-b-rev-1-0.json"
    assert where(tmp_path) == tmp_path / name
    odd = profile_path(tmp_path, "avdigits", "../..", "/etc/passwd\n")
    assert odd.parent == tmp_path
    assert odd.name == "profile-avdigits-unnamed-etc-passwd.json"


def test_anybody_may_read_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        path = kept(tmp_path / "state" / "edge-daemon")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755


def test_a_new_profile_takes_the_old_ones_place_and_leaves_nothing_beside(tmp_path: Path) -> None:
    kept(tmp_path)
    path = kept(tmp_path, replace(MEASURED, contention=0.7))
    assert read_profile(path).contention == 0.7
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_in_its_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    """The directory belongs to the service's user, and root writes into it."""
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    where(tmp_path).symlink_to(victim)
    path = kept(tmp_path)
    assert victim.read_text() == "untouched"
    assert not path.is_symlink()


def test_an_old_profile_survives_a_write_that_fails(tmp_path: Path) -> None:
    path = kept(tmp_path)
    with pytest.raises(ProfileError, match=r"tiers\.low\.gap_ms: nan"):
        write_profile(path, changed(Tier.LOW, gap_ms=math.nan))
    with pytest.raises(ProfileError, match=r"tiers\.low\.accuracy"):
        write_profile(path, changed(Tier.LOW, accuracy=1.5))
    assert read_profile(path) == MEASURED
    with pytest.raises(OSError, match="no-such"):
        write_profile(Path("/proc/no-such/profile.json"), MEASURED)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tiers.low.cycle_ms": "soon"}, "tiers.low.cycle_ms: expected `float`, got `str`"),
        ({"tiers.low.cycle_ms": 0}, "tiers.low.cycle_ms: expected `float` > 0.0"),
        ({"tiers.high.accuracy": 92.3}, "tiers.high.accuracy: expected `float` <= 1.0"),
        ({"tiers.low.cycle": 3.0}, "tiers.low: object contains unknown field `cycle`"),
        ({"tiers.low.cpu_ms": None}, "tiers.low: object missing required field `cpu_ms`"),
        ({"tiers.low": 3}, "tiers.low: expected `object`, got `int`"),
        ({"tiers.low": None}, "tiers: low missing; all four are needed"),
        ({"tiers": None}, "(whole file): object missing required field `tiers`"),
        ({"tiers": []}, "tiers: expected `object`, got `array`"),
        ({"tiers.lowest": {}}, "tiers.lowest: no such tier; there are critical, low,"),
        ({"tiers.medium.memory_mib": 1.5}, "tiers.medium.memory_mib: 1.5 is less than in low (20)"),
        ({"format": 2}, "format: 2; this version reads format 1"),
        ({"cores": 0}, "cores: expected `float` > 0.0"),
        ({"measured": "yes"}, "measured: expected `bool`, got `str`"),
    ],
)
def test_an_error_names_file_key_and_remedy(
    change: dict[str, Any], says: str, tmp_path: Path
) -> None:
    path = kept(tmp_path)
    said = spoilt(path, change)
    assert said.startswith(f"{path}: {says}")
    assert "`edge-daemon profile`" in said
    assert "\n" not in said


def test_a_torn_file_and_one_that_is_none(tmp_path: Path) -> None:
    path = kept(tmp_path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ProfileError, match="is not JSON"):
        read_profile(path)
    with pytest.raises(ProfileError, match=r"cannot be read: .*No such file"):
        read_profile(tmp_path / "nothing.json")
    with pytest.raises(ProfileError, match=r"cannot be read: .*directory"):
        read_profile(tmp_path)


def test_only_a_profile_of_this_bundle_and_board_is_found(tmp_path: Path) -> None:
    assert find_profile(tmp_path / "nothing", SHA, PI) is None
    kept(tmp_path)
    assert find_profile(tmp_path, SHA, PI) == MEASURED
    assert find_profile(tmp_path, SHA[::-1], PI) is None
    assert find_profile(tmp_path, SHA, "Raspberry Pi 4") is None


def test_a_name_alone_does_not_make_it_the_right_one(tmp_path: Path) -> None:
    path = kept(tmp_path)
    path.write_text(path.read_text().replace(SHA, SHA[:12] + "0" * 52))
    assert find_profile(tmp_path, SHA, PI) is None


def test_a_directory_is_searched_and_what_is_there_instead_is_told(tmp_path: Path) -> None:
    directory = f"{tmp_path}/"
    none = choose_profile(directory, SHA, PI)
    assert (none.profile, none.path, none.trouble) == (PUBLISHED, None, False)
    other = kept(tmp_path, replace(MEASURED, board="Raspberry Pi 4"))
    none = choose_profile(directory, SHA, PI)
    assert none.profile is PUBLISHED
    assert f"of another bundle or board: {other.name}" in none.why
    path = kept(tmp_path)
    chosen = choose_profile(directory, SHA, PI)
    assert (chosen.profile, chosen.path) == (MEASURED, path)
    assert "2026-03-19" in chosen.why


def test_a_broken_profile_that_nobody_named_leaves_the_published_one(tmp_path: Path) -> None:
    path = kept(tmp_path)
    path.write_text("{")
    chosen = choose_profile(f"{tmp_path}/", SHA, PI)
    assert (chosen.profile, chosen.path, chosen.trouble) == (PUBLISHED, None, True)
    assert str(path) in chosen.why


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look everywhere")
def test_a_directory_that_may_not_be_looked_into_is_told(tmp_path: Path) -> None:
    kept(tmp_path)
    tmp_path.chmod(0o100)
    try:
        assert "may not look into" in choose_profile(f"{tmp_path}/", SHA, PI).why
    finally:
        tmp_path.chmod(0o700)


def test_a_file_that_is_named_must_serve(tmp_path: Path) -> None:
    path = kept(tmp_path)
    assert choose_profile(str(path), SHA, PI).profile == MEASURED
    with pytest.raises(
        ProfileError, match=r"another bundle \(avdigits 0\.2\.0\).*governor.profile"
    ):
        choose_profile(str(path), SHA[::-1], PI)
    with pytest.raises(ProfileError, match=r"another board \(Raspberry Pi 5 .*, this is Pi 4\)"):
        choose_profile(str(path), SHA, "Pi 4")
    with pytest.raises(ProfileError, match="No such file"):
        choose_profile(str(tmp_path / "nothing.json"), SHA, PI)


def test_a_profile_that_names_neither_serves_any(tmp_path: Path) -> None:
    path = tmp_path / "by-hand.json"
    write_profile(path, replace(MEASURED, bundle_sha256="", board=""))
    assert choose_profile(str(path), SHA, PI).path == path


def test_the_published_table_can_be_asked_for(tmp_path: Path) -> None:
    kept(tmp_path)
    assert choose_profile("published", SHA, PI).profile is PUBLISHED


def test_a_board_is_called_by_its_model_or_its_architecture(tmp_path: Path) -> None:
    assert board_name(board("rpi5")) == PI
    assert board_name(tmp_path) == os.uname().machine
