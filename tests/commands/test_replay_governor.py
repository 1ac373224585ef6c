import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge_daemon import exitcode
from edge_daemon.cli import main
from edge_daemon.commands.replay_governor import searched
from edge_daemon.demo import DIRECTORY
from edge_daemon.governor.profile import PUBLISHED
from edge_daemon.governor.profilefile import write_profile
from edge_daemon.journal.writer import Journal
from edge_daemon.tier import Tier
from tests.daemon.running import write_config
from tests.governor.test_policy import GOOD
from tests.journal import samples
from tests.review.test_rerun import Board


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Return half an hour in which something else takes 55 % of the CPU for a while."""
    path = tmp_path / "night.jsonl"
    board = Board(path)
    board.poll(times=20)
    board.poll(replace(GOOD, cpu_foreign=0.55), times=30)
    board.poll(GOOD, times=100)
    board.recorder.close()
    return path


@pytest.fixture
def lenient(tmp_path: Path) -> Path:
    limits = {"cpu": {"high_enter": 0.4, "high_leave": 0.58}, "poll_max_s": 2.0}
    return write_config(tmp_path / "config.yaml", governor={"limits": limits})


def test_a_recording_with_its_own_limits_differs_nowhere(
    recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay-governor", "--check", str(recording)]) == exitcode.OK
    out = capsys.readouterr().out
    assert "a recording with every reading; edge-daemon 0 on board, bundle." in out.replace(
        "\n", " "
    )
    assert "Replayed with the recorded limits.\nProfile: the recorded one." in out
    assert "150 decisions replayed" in out
    assert "none differs from what was recorded" in out


def test_another_config_shows_what_it_would_have_changed(
    recording: Path, lenient: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["replay-governor", str(recording), "--config", str(lenient)]
    assert main(command) == exitcode.OK
    out = " ".join(capsys.readouterr().out.split())
    assert f"Replayed with the limits of {lenient}. Profile: the recorded one." in out
    assert "recorded medium (cpu_limit), replayed high (top)" in out
    assert main([*command, "--check"]) == exitcode.TROUBLE


def test_json_has_every_difference(
    recording: Path, lenient: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay-governor", str(recording), "-c", str(lenient), "--json"]) == exitcode.OK
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["polls"], found["compared"]) == ("recording", 150, 150)
    assert found["differing"] == sum(one["polls"] for one in found["differences"]) > 20
    assert found["longest"] in found["differences"]
    assert sum(found["replayed"]["tier_s"].values()) == pytest.approx(found["watched_s"])
    assert found["replayed"]["switches"] == 0 < found["recorded"]["switches"]
    assert found["switches_per_hour"]["recorded"] == pytest.approx(
        3600 * found["recorded"]["switches"] / found["watched_s"]
    )


def test_a_script_is_replayed_and_cannot_be_checked(
    lenient: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = str(DIRECTORY / "trace.jsonl")
    assert main(["replay-governor", script, "--config", str(lenient)]) == exitcode.OK
    assert "none was recorded to compare with" in capsys.readouterr().out
    assert main(["replay-governor", script, "--check"]) == exitcode.CONFIG
    assert "no decisions to check against" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file"),
        ("nothing\n", "neither a recording"),
        ('{"line":"header","format":7}\n', "another version"),
    ],
)
def test_a_wrong_trace_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, message: str
) -> None:
    trace = tmp_path / "trace.jsonl"
    if text is not None:
        trace.write_text(text)
    assert main(["replay-governor", str(trace)]) == exitcode.CONFIG
    err = capsys.readouterr().err
    assert err.startswith(f"edge-daemon: {trace}: ")
    assert message in err
    assert err.count("\n") == 1


def test_a_recording_of_a_pinned_tier_has_nothing_to_decide(
    recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = recording.read_text().splitlines(keepends=True)
    recording.write_text("".join(lines[:2]))
    assert main(["replay-governor", str(recording)]) == exitcode.CONFIG
    assert "was a tier pinned?" in capsys.readouterr().err
    recording.write_text("\n")
    assert main(["replay-governor", str(recording)]) == exitcode.CONFIG


def test_a_journal_is_replayed_with_a_profile_that_is_named_or_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = Journal(tmp_path / "journal")
    journal.open()
    for event in samples.EVENTS:
        journal.write(event)
    journal.stop()
    config = write_config(tmp_path / "new.yaml")
    assert main(["replay-governor", str(tmp_path / "journal"), "-c", str(config)]) == exitcode.OK
    out = " ".join(capsys.readouterr().out.split())
    assert "Profile: the published table serves, because nothing was measured" in out


def test_what_the_service_measured_serves_for_the_services_journal(tmp_path: Path) -> None:
    """Whichever file the limits come from, `auto` looks where the service looks."""
    journal, state = tmp_path / "log", tmp_path / "lib"
    journal.mkdir()
    (tmp_path / "link").symlink_to(journal)
    home = "/home/pi/.local/state/edge-daemon/"
    for trace in (journal, journal / "journal-000000000001.jsonl", tmp_path / "link"):
        assert searched(home, trace, journal, state) == f"{state}/"
    assert searched(home, tmp_path / "copy", journal, state) == home
    assert searched("/etc/edge-daemon/p.json", journal, journal, state) == "/etc/edge-daemon/p.json"
    assert searched("published", journal, journal, state) == "published"


def test_the_config_may_name_another_profile(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `auto` the recorded profile serves; a file that is named must be of that board."""
    measured = replace(PUBLISHED, measured=True, bundle="b", bundle_sha256="00", board="board")
    costly = {**measured.tiers, Tier.HIGH: replace(measured.tiers[Tier.HIGH], memory_mib=4000.0)}
    path = tmp_path / "profile.json"
    write_profile(path, replace(measured, tiers=costly))
    config = write_config(tmp_path / "config.yaml", governor={"profile": str(path)})
    assert main(["replay-governor", str(recording), "-c", str(config), "--json"]) == exitcode.OK
    found = json.loads(capsys.readouterr().out)
    assert found["profile"] == "measured at an unknown time"
    assert found["replayed"]["tier_s"]["high"] == 0 < found["recorded"]["tier_s"]["high"]
    write_profile(path, replace(measured, board="another"))
    assert main(["replay-governor", str(recording), "-c", str(config)]) == exitcode.CONFIG
    assert "profile.json" in capsys.readouterr().err
