from pathlib import Path

import pytest
import yaml

from edge_daemon.config import (
    Config,
    ConfigError,
    diff,
    find_config,
    load_config,
    parse_config,
    resolve,
)
from edge_daemon.config.bind import Findings, bind
from edge_daemon.config.document import read_document
from edge_daemon.config.keys import VideoConfig
from edge_daemon.config.load import state_directory
from edge_daemon.config.schema import keys
from edge_daemon.governor.limits import Limits
from edge_daemon.resources import shipped_bundle, shipped_config
from edge_daemon.tier import Tier

HERE = Path("/etc/board/config.yaml")


def parse(text: str | bytes) -> Config:
    raw = text.encode() if isinstance(text, str) else text
    return parse_config(raw, HERE, {"HOME": "/home/pi"})


def refusal(text: str | bytes) -> str:
    with pytest.raises(ConfigError) as refused:
        parse(text)
    return str(refused.value).removeprefix("/etc/board/")


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# nothing yet\n", "---\n", "video:\naudio:\n", "\ufeff"]
)
def test_nothing_given_means_the_defaults(text: str) -> None:
    assert parse(text) == resolve(Config(), HERE.parent, {"HOME": "/home/pi"})


def test_the_shipped_file_states_every_key_with_its_default() -> None:
    text = shipped_config().read_text(encoding="utf-8")
    assert diff(parse(text), parse("")) == ([], [])
    given: object = yaml.safe_load(text)
    for key in keys(Config()):
        node = given
        for part in key.name.split("."):
            assert isinstance(node, dict) and part in node, f"{key.name} is missing"
            node = node[part]


def test_live_keys_and_only_they_are_marked_in_the_shipped_file() -> None:
    raw = shipped_config().read_bytes()
    lines = raw.decode().splitlines()
    findings = Findings()
    bind(Config(), read_document(raw), findings)
    for key in keys(Config()):
        parts = key.name.split(".")
        owners = [".".join(parts[:end]) for end in range(min(2, len(parts)), len(parts) + 1)]
        comments = [comment_above(lines, findings.lines[owner]) for owner in owners]
        assert any(comments), f"{key.name} is not explained"
        assert any(one.endswith("(live)") for one in comments) == key.live, key.name


def comment_above(lines: list[str], line: int) -> str:
    """Return the last line of the comment that a key stands under, if it has one of its own."""
    index = line - 1
    indent = lines[index][: -len(lines[index].lstrip())]
    while lines[index].startswith(indent):
        if lines[index].startswith(f"{indent}#"):
            return lines[index]
        index -= 1
    return ""


def test_values_are_taken() -> None:
    config = parse(
        """
video: {source: camera, device: /dev/v4l/by-id/usb-cam, rate_hz: 30, region: [0, 0, 0.5, 1]}
audio:
  device: "0"
  rate_hz: 48_000
tier: low
"""
    )
    assert config.video == VideoConfig(
        device="/dev/v4l/by-id/usb-cam", rate_hz=30.0, region=(0.0, 0.0, 0.5, 1.0)
    )
    assert config.audio.device == "0"
    assert config.audio.rate_hz == 48_000
    assert config.pinned is Tier.LOW
    assert parse("").pinned is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "# one\ncapture:\n  rat_hz: 3\n",
            "config.yaml:3: capture.rat_hz is not a key; did you mean video.rate_hz?",
        ),
        (
            "video:\n  rat_hz: 3\n",
            "config.yaml:2: video.rat_hz is not a key; did you mean rate_hz?",
        ),
        (
            "capture:\n  stall_ms: 3\n",
            "config.yaml:2: capture.stall_ms is not a key; did you mean stall_s?",
        ),
        ("vidoe: {}\n", "config.yaml:1: vidoe is not a key; did you mean video?"),
        (
            "log:\n  threshold: 1\n",
            "config.yaml:2: log.threshold is not a key; did you mean prediction.threshold?",
        ),
        ("log:\n  zzz: 1\n", "config.yaml:2: log.zzz is not a key; the section log has level"),
        (
            "video:\n  width_px: wide\n",
            "config.yaml:2: video.width_px must be a whole number from 16 to 7680 (in pixels), "
            'not "wide"',
        ),
        (
            "video:\n  rate_hz: 30 fps\n",
            "config.yaml:2: video.rate_hz must be a number from 0.1 to 240.0 (in hertz), "
            'not "30 fps"; the unit is in the key\'s name: write the plain number',
        ),
        (
            "window:\n  period_ms: 5\n",
            "config.yaml:2: window.period_ms must be a whole number from 10 to 60000 "
            "(in milliseconds), not 5",
        ),
        (
            "window:\n  period_ms: 1:30\n",
            "config.yaml:2: window.period_ms must be a whole number from 10 to 60000 "
            '(in milliseconds), not "1:30"; the unit is in the key\'s name: write the plain number',
        ),
        (
            "prediction: {threshold: .nan}\n",
            'config.yaml:1: prediction.threshold must be a number from 0.0 to 1.0, not ".nan"',
        ),
        (
            "tier: hihg\n",
            'config.yaml:1: tier must be one of auto, critical, low, medium, high, not "hihg"',
        ),
        (
            "video:\n  region: [0, 0, 1]\n",
            "config.yaml:2: video.region must be null or a list of 4, "
            "each a number from 0.0 to 1.0, not [0, 0, 1]",
        ),
        ("replay: {loop: 1}\n", "config.yaml:1: replay.loop must be true or false, not 1"),
        ("video: 3\n", "config.yaml:1: video is a section with keys of its own, not 3"),
        (
            "bundle: {a: b}\n",
            "config.yaml:1: bundle must be a path, not a section",
        ),
        (
            "log:\n  level: info\n  level: debug\n",
            "config.yaml:3: log.level is given twice, first in line 2",
        ),
        ("log: {}\nvideo: {}\nlog: {}\n", "config.yaml:3: log is given twice, first in line 1"),
        (
            "video: {source: none}\naudio:\n  source: none\n",
            "config.yaml:3: audio.source is none, and so is video.source: "
            "nothing is left to classify",
        ),
        (
            "video: {source: replay}\n",
            "config.yaml:1: video.source is replay, but replay.video names no file",
        ),
        (
            "audio: {source: none}\nreplay: {pace: lockstep}\n",
            "config.yaml:2: replay.pace is lockstep, which live devices cannot follow; "
            "use replay or synthetic",
        ),
        (
            "capture: {retry_max_s: 0.1}\n",
            "config.yaml:1: capture.retry_max_s is shorter than capture.retry_first_s",
        ),
        (
            "journal: {max_total_mib: 9}\n",
            "config.yaml:1: journal.max_total_mib is less than twice journal.max_file_mib",
        ),
        (
            "governor:\n  limits:\n    cpu: {high_enter: 0.6}\n",
            "config.yaml:3: governor.limits.cpu.high_enter must lie below cpu.high_leave (0.5), "
            "or high would be entered and left at the same value, not 0.6",
        ),
        (
            "governor:\n  limits:\n    cpu: {high_leave: 0.3}\n",
            "config.yaml:3: governor.limits.cpu.high_enter must lie below cpu.high_leave (0.3), "
            "or high would be entered and left at the same value, not 0.3",
        ),
        (
            "governor: {limits: {memory: {low_enter_mib: lots}}}\n",
            "config.yaml:1: governor.limits.memory.low_enter_mib must be a number from 0.0 to "
            '1048576.0 (in MiB), not "lots"',
        ),
        (
            "video: {region: [0.5, 0, 0.6, 1]}\n",
            "config.yaml:1: video.region reaches outside the picture, or is empty",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, message: str) -> None:
    assert refusal(text) == message


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("video:\n  rate_hz: [1\n", "config.yaml:3: not YAML: "),
        ("video:\n\trate_hz: 1\n", "config.yaml:2: not YAML: "),
        (b"log:\n  level: \xff\n", "config.yaml:2: not UTF-8: byte 0xff"),
        ("log:\n  level: \x07\n", "config.yaml:2: the character U+0007 is not allowed"),
        ('log: {level: "\\0"}', "config.yaml:1: text may hold neither NUL"),
        ('log: {level: "\\UFFFFFFFF"}', "config.yaml: not YAML: "),
        ("video: &v {}\naudio: *v\n", "config.yaml:1: anchors and aliases"),
        ("&a video: {? [*a] : 1}", "config.yaml:1: a key is a plain word"),
        ("log: {level: !!binary aGk=}", "config.yaml:1: the tag tag:yaml.org,2002:binary is not"),
        ("- video\n", "config.yaml:1: a configuration is made of sections"),
        ("--- {}\n--- {}\n", "config.yaml:2: not YAML: "),
        ("a: " + "[" * 5000, "config.yaml"),
        ("{a: " * 40 + "}" * 40, "config.yaml:1: nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_refused(text: str | bytes, start: str) -> None:
    assert refusal(text).startswith(start)


def test_all_problems_are_reported_at_once_in_order() -> None:
    lines = refusal("video:\n  rate_hz: 0\n  hight_px: 3\nlog:\n  level: loud\n").splitlines()
    assert [line.split(":")[1] for line in lines] == ["2", "3", "5"]


def test_limits_given_in_part_keep_the_rest() -> None:
    limits = parse(
        "governor: {limits: {cpu: {high_enter: 0.2}, temperature: {ignored_zones: [pmic]}}}"
    ).governor.limits
    assert (limits.cpu.high_enter, limits.cpu.high_leave) == (0.2, 0.5)
    assert limits.temperature.ignored_zones == ("pmic",)
    assert limits.memory == Limits().memory


def test_paths_start_at_the_files_directory() -> None:
    config = parse(
        "bundle: mine\nreplay: {video: clips/a.mp4, audio: /srv/a.wav}\n"
        "governor: {readings: hot.jsonl}\njournal: {directory: ../log}\n"
    )
    assert config.bundle == Path("/etc/board/mine")
    assert config.replay.video == Path("/etc/board/clips/a.mp4")
    assert config.replay.audio == Path("/srv/a.wav")
    assert config.replay.labels is None
    assert config.governor.readings == "/etc/board/hot.jsonl"
    assert config.journal.directory == Path("/etc/board/../log")


def test_shipped_bundle_and_own_probes_are_named_not_paths() -> None:
    assert parse("").bundle == shipped_bundle()
    assert parse("").governor.readings == "system"


@pytest.mark.parametrize(
    ("environ", "directory"),
    [
        ({"LOGS_DIRECTORY": "/var/log/edge-daemon", "HOME": "/x"}, "/var/log/edge-daemon"),
        ({"HOME": "/home/pi"}, "/home/pi/.local/state/edge-daemon"),
        ({"HOME": "/home/pi", "XDG_STATE_HOME": "/data"}, "/data/edge-daemon"),
    ],
)
def test_the_journal_goes_where_the_system_wants_it(
    environ: dict[str, str], directory: str
) -> None:
    assert parse_config(b"", HERE, environ).journal.directory == Path(directory)


def test_the_systems_configuration_has_the_services_journal() -> None:
    system = Path("/etc/edge-daemon/config.yaml")
    assert parse_config(b"", system, {"HOME": "/home/pi"}).journal.directory == Path(
        "/var/log/edge-daemon"
    )


@pytest.mark.parametrize(
    ("base", "environ", "directory"),
    [
        ("/etc/board", {"HOME": "/home/pi"}, "/home/pi/.local/state/edge-daemon"),
        ("/etc/board", {"HOME": "/x", "XDG_STATE_HOME": "/data"}, "/data/edge-daemon"),
        ("/etc/edge-daemon", {"HOME": "/root"}, "/var/lib/edge-daemon"),
        ("/srv", {"STATE_DIRECTORY": "/var/lib/edge-daemon:/more"}, "/var/lib/edge-daemon"),
    ],
)
def test_profiles_are_looked_for_where_the_daemon_keeps_its_state(
    base: str, environ: dict[str, str], directory: str
) -> None:
    """`edge-daemon profile`, run as root beside the service, writes where the service looks."""
    assert state_directory(Path(base), environ) == Path(directory)
    found = parse_config(b"", Path(base, "config.yaml"), environ).governor.profile
    assert found == f"{directory}/"


def test_a_profile_may_be_named_or_left_out() -> None:
    assert parse("governor: {profile: published}").governor.profile == "published"
    assert parse("governor: {profile: my.json}").governor.profile == f"{HERE.parent}/my.json"


def test_the_file_is_looked_for_in_order(tmp_path: Path) -> None:
    system = tmp_path / "etc.yaml"
    named = {"EDGE_DAEMON_CONFIG": "/named.yaml"}
    assert find_config(Path("given.yaml"), named, system) == Path("given.yaml")
    assert find_config(None, named, system) == Path("/named.yaml")
    assert find_config(None, {}, system) is None
    system.write_text("")
    assert find_config(None, {}, system) == system


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml: No such file or directory"):
        load_config(tmp_path / "absent.yaml", {})
    with pytest.raises(ConfigError, match="Is a directory"):
        load_config(tmp_path, {})
    with pytest.raises(ConfigError, match="larger than 128 KiB"):
        load_config(Path("/dev/zero"), {})
    with pytest.raises(ConfigError, match="no such user"):
        parse("bundle: ~nobody-of-that-name/x")


def test_a_file_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("bundle: own\n")
    assert load_config(path, {}).bundle == tmp_path / "own"
    assert load_config(None, {}).bundle == shipped_bundle()
