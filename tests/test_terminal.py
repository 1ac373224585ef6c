"""What comes from outside is shown as text, wherever it is shown."""

import io
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_daemon import exitcode
from edge_daemon.cli import main
from edge_daemon.demo.view import DemoView
from edge_daemon.journal import events
from edge_daemon.journal.writer import Journal
from edge_daemon.terminal import PrintableFormatter, printable, printable_lines
from tests.governor.sysroot import copy_of
from tests.journal import samples

EVIL = "\x1b]0;title\x07\x1b[2J\x9b31m\u202e\r\x7f\b"
"""Sets the title, clears the screen, colours, turns the direction of writing, overwrites."""

(START,) = (event for event in samples.EVENTS if isinstance(event, events.Start))
(PREDICTION, *_) = (event for event in samples.EVENTS if isinstance(event, events.Prediction))
(CHANGE,) = (event for event in samples.EVENTS if isinstance(event, events.TierChange))


def drives(text: str) -> bool:
    """Return whether a text holds anything but characters to show, and line ends."""
    return any(not c.isprintable() and c not in "\n\u00a0" for c in text)


@given(st.text())
def test_nothing_that_is_printable_drives_a_terminal(text: str) -> None:
    assert printable(text).isprintable()
    assert printable_lines(text).count("\n") == text.count("\n")
    assert not drives(printable_lines(text))


def test_what_is_hidden_is_made_visible() -> None:
    assert drives(EVIL)
    assert printable("a\x1b[31m\tb\nc\x9b") == r"a\x1b[31m b c\x9b"
    assert printable("21 °C · „größer“") == "21 °C · „größer“"


def test_log_messages_and_tracebacks() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PrintableFormatter("%(message)s"))
    logger = logging.Logger("a logger of its own")
    logger.addHandler(handler)
    try:
        raise ValueError(EVIL)
    except ValueError:
        logger.exception("from a camera: %s", EVIL)
    lines = stream.getvalue().splitlines()
    assert lines[0].startswith("from a camera: \\x1b]0;title")
    assert lines[1].startswith("Traceback")
    assert not drives(stream.getvalue())


def test_the_names_of_devices(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = copy_of("laptop", tmp_path)
    for file in [*root.rglob("type"), *root.glob("sys/class/power_supply/*/status")]:
        file.write_text(EVIL + file.read_text())
    camera = root / "sys/class/video4linux/video0"
    camera.mkdir(parents=True, exist_ok=True)
    (camera / "name").write_text(f"Cheap camera{EVIL}\n")
    (root / "dev").mkdir(exist_ok=True)
    (root / "dev/video0").touch()
    assert main(["devices", "--sysroot", str(root)]) == exitcode.OK
    shown = capsys.readouterr().out
    assert "Cheap camera\\x1b]0;title" in shown
    assert not drives(shown)
    main(["doctor", "--sysroot", str(root)])
    assert not drives(capsys.readouterr().out)


def evil_journal(directory: Path) -> Path:
    journal = Journal(directory)
    journal.open()
    for event in samples.EVENTS:
        journal.write(event)
    journal.write(events.Fault(EVIL, EVIL))
    journal.write(events.Capture(EVIL, EVIL, "stalled", EVIL))
    journal.write(replace(CHANGE, reason=EVIL, rule=EVIL))
    journal.stop()
    return directory


@pytest.mark.parametrize("command", ["tail", "explain"])
def test_the_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert main([command, str(evil_journal(tmp_path))]) == exitcode.OK
    shown = capsys.readouterr()
    assert shown.out
    assert not drives(shown.out + shown.err)


def test_a_damaged_journal_under_an_evil_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / f"{EVIL.replace('/', '')}.jsonl"
    file.write_text(EVIL + "\n")
    assert main(["tail", str(file)]) == exitcode.OK
    assert "no JSON object" in (shown := capsys.readouterr().err)
    assert not drives(shown)


def test_the_demo() -> None:
    stream = io.StringIO()
    view = DemoView(stream, lambda: 1.0, colour=False)
    view.write(replace(START, video=EVIL, audio=EVIL, bundle=EVIL))
    for _ in range(5):
        view.write(replace(PREDICTION, label=EVIL))
    view.write(replace(CHANGE, reason=EVIL))
    view.write(events.Fault(EVIL, EVIL))
    assert stream.getvalue().count("title") == 7
    assert not drives(stream.getvalue())


def test_errors_about_a_bundle_and_a_config(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bundle.yaml").write_text('"\\e]0;title\\a": 1\nformat: 1\n')
    assert main(["bundle", "verify", str(tmp_path)]) == exitcode.CONFIG
    config = tmp_path / "config.yaml"
    config.write_text("log: !%1b%5b2J x\n")
    assert main(["check", "--config", str(config)]) == exitcode.CONFIG
    shown = capsys.readouterr().err
    assert r"\x1b]0;title" in shown
    assert r"\x1b[2J" in shown
    assert not drives(shown)
