import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import structs

from edge_daemon.doctor import collect
from edge_daemon.finding import Finding, Verdict
from edge_daemon.governor.profile import PUBLISHED
from edge_daemon.governor.profilefile import Choice, ProfileError
from edge_daemon.host import Host, import_trouble, inspect_host
from tests.governor.sysroot import BOARDS, board, copy_of, write


def host(tmp_path: Path, **changes: object) -> Host:
    good = Host(
        python="3.11.2",
        executable="/opt/edge-daemon/bin/python",
        machine="aarch64",
        packages={"numpy": "2.3.0", "msgspec": "0.19.0"},
        runtimes={"ai-edge-litert": "2.1.6"},
        delegates=lambda: ("ai-edge-litert 2.1.6", True),
        portaudio="libportaudio.so.2",
        picamera2="",
        user="edge",
        uid=1000,
        gids=frozenset({1000}),
        clock_synchronised=True,
        journal=tmp_path / "log/edge-daemon",
        journal_mib=1.0,
    )
    return replace(good, **changes)  # type: ignore[arg-type]


def find(findings: list[Finding], name: str) -> Finding:
    (found,) = [finding for finding in findings if finding.name == name]
    return found


def look(root: Path, tmp_path: Path, name: str, **changes: object) -> Finding:
    return find(collect(root, host(tmp_path, **changes)), name)


def test_a_sound_board_has_nothing_to_change(tmp_path: Path) -> None:
    findings = collect(board("rpi5"), host(tmp_path))
    assert [
        finding for finding in findings if finding.verdict in (Verdict.WARN, Verdict.FAIL)
    ] == []
    assert find(findings, "board").detail == "Raspberry Pi 5 Model B Rev 1.0"
    assert find(findings, "sensors").detail == (
        "cpu, memory, temperature, throttle; this board has no battery"
    )


@pytest.mark.parametrize("name", [path.name for path in BOARDS.iterdir() if path.is_dir()])
def test_every_board_gets_an_answer_to_every_question(name: str, tmp_path: Path) -> None:
    findings = collect(board(name), host(tmp_path))
    assert {"sensors", "throttling", "batteries", "memory control group", "wall clock"} <= {
        finding.name for finding in findings
    }
    for finding in findings:
        assert finding.detail
        assert finding.remedy or finding.verdict in (Verdict.OK, Verdict.INFO)


def test_an_empty_root_gets_an_answer_too(tmp_path: Path) -> None:
    assert collect(tmp_path / "nothing", host(tmp_path))


def test_an_old_python(tmp_path: Path) -> None:
    finding = look(board("rpi4"), tmp_path, "python", python="3.9.2")
    assert finding.verdict is Verdict.FAIL
    assert "3.11" in finding.remedy


def test_missing_packages_are_named_in_the_command_that_installs_them(tmp_path: Path) -> None:
    found: dict[str, str | None] = {"numpy": "2.3", "soundfile": None}
    finding = look(board("rpi4"), tmp_path, "packages", packages=found)
    assert finding.verdict is Verdict.FAIL
    assert finding.remedy == "/opt/edge-daemon/bin/python -m pip install soundfile"


def broken() -> tuple[str, bool]:
    raise ImportError("GLIBC_2.38 not found")


@pytest.mark.parametrize(
    ("delegates", "verdict", "words"),
    [
        (lambda: ("ai-edge-litert 2.1.6", True), "ok", "with XNNPACK"),
        (lambda: ("tflite-runtime 2.14.0", False), "warn", "without XNNPACK"),
        (broken, "fail", "GLIBC_2.38 not found"),
    ],
)
def test_the_runtime_is_tried(
    tmp_path: Path, delegates: Callable[[], tuple[str, bool]], verdict: str, words: str
) -> None:
    finding = look(board("rpi4"), tmp_path, "TFLite runtime", delegates=delegates)
    assert finding.verdict == verdict
    assert words in finding.detail


def test_no_runtime_is_not_tried(tmp_path: Path) -> None:
    finding = look(board("rpi4"), tmp_path, "TFLite runtime", runtimes={}, delegates=broken)
    assert finding.verdict is Verdict.FAIL
    assert finding.remedy == "/opt/edge-daemon/bin/python -m pip install ai-edge-litert"


def test_the_kernel_command_line_of_a_pi(tmp_path: Path) -> None:
    pressure = look(board("rpi4"), tmp_path, "pressure stall information")
    assert pressure.verdict is Verdict.INFO
    assert "psi=1" in pressure.remedy
    assert "/boot/firmware/cmdline.txt" in pressure.remedy
    memory = look(board("rpi4"), tmp_path, "memory control group")
    assert memory.verdict is Verdict.WARN
    assert "add cgroup_enable=memory" in memory.remedy
    root = copy_of("rpi4", tmp_path)
    write(root, {"proc/cmdline": "console=tty1 psi=1 cgroup_enable=memory\n"})
    assert look(root, tmp_path, "pressure stall information").remedy == ""
    assert "already" in look(root, tmp_path, "memory control group").remedy


def test_the_kernel_command_line_of_another_board_has_no_known_place(tmp_path: Path) -> None:
    pressure = look(board("jetson-nano"), tmp_path, "pressure stall information")
    assert pressure.remedy == "psi=1 on the kernel command line shows the governor memory stalls"
    memory = look(board("broken-jetson"), tmp_path, "memory control group")
    assert memory.remedy == "add cgroup_enable=memory to the kernel command line and reboot"


def test_both_versions_of_the_memory_control_group(tmp_path: Path) -> None:
    assert look(board("rpi5"), tmp_path, "memory control group").detail == "on (version 2)"
    assert look(board("jetson-nano"), tmp_path, "memory control group").detail == "on (version 1)"


def test_throttling_now_and_since_the_boot(tmp_path: Path) -> None:
    finding = look(board("rpi4"), tmp_path, "throttling")
    assert finding.verdict is Verdict.WARN
    assert finding.detail == "under-voltage, throttled since the boot"
    assert "power supply" in finding.remedy
    root = copy_of("rpi4", tmp_path)
    flags = "sys/devices/platform/soc/soc:firmware/get_throttled"
    finding = look(write(root, {flags: "40004\n"}), tmp_path, "throttling")
    assert finding.detail == "throttled now"
    assert "cooling" in finding.remedy
    assert look(write(root, {flags: "0\n"}), tmp_path, "throttling").verdict is Verdict.OK


def test_sensors_that_fail_are_named(tmp_path: Path) -> None:
    finding = look(board("broken"), tmp_path, "sensors")
    assert finding.verdict is Verdict.FAIL
    assert "BAT0/capacity says 255" in finding.detail
    assert "move up" in finding.remedy


def test_thermal_zones_with_their_values(tmp_path: Path) -> None:
    assert look(board("rpi4"), tmp_path, "thermal zones").detail == "cpu-thermal 51.1 °C"
    assert look(board("broken"), tmp_path, "thermal zones").verdict is Verdict.WARN
    assert look(board("container"), tmp_path, "thermal zones").verdict is Verdict.INFO


def test_a_zone_that_is_broken_beside_good_ones(tmp_path: Path) -> None:
    root = write(
        copy_of("rpi4", tmp_path),
        {
            "sys/class/thermal/thermal_zone7/type": "npu",
            "sys/class/thermal/thermal_zone7/temp": "garbage",
        },
    )
    good, bad = [
        finding for finding in collect(root, host(tmp_path)) if finding.name == "thermal zones"
    ]
    assert (good.verdict, bad.verdict) == (Verdict.OK, Verdict.INFO)
    assert "thermal_zone7" in bad.detail
    assert "ignored_zones" in bad.remedy


def test_batteries_with_their_charge(tmp_path: Path) -> None:
    assert look(board("laptop"), tmp_path, "batteries").detail == "BAT0 78 %, BAT1 25 %"
    assert look(board("rpi4"), tmp_path, "batteries").verdict is Verdict.INFO
    assert look(board("broken"), tmp_path, "batteries").verdict is Verdict.WARN


def node(root: Path, name: str, mode: int) -> Path:
    path = root / "dev" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("name", "check", "group"),
    [("video0", "camera devices", "video"), ("snd/pcmC1D0c", "sound devices", "audio")],
)
def test_who_may_open_a_device(tmp_path: Path, name: str, check: str, group: str) -> None:
    root = tmp_path / "root"
    assert look(root, tmp_path, check).verdict is Verdict.INFO
    status = node(root, name, 0o660).stat()
    stranger = {"uid": status.st_uid + 1, "gids": frozenset({status.st_gid + 1})}
    finding = look(root, tmp_path, check, **stranger)
    assert finding.verdict is Verdict.FAIL
    assert finding.remedy == f"sudo usermod -aG {group} edge, then log in again"
    assert Path(name).name in finding.detail
    member = {"uid": status.st_uid + 1, "gids": frozenset({status.st_gid})}
    assert look(root, tmp_path, check, **member).verdict is Verdict.OK
    assert look(root, tmp_path, check, uid=0, gids=frozenset()).verdict is Verdict.OK
    node(root, name, 0o666)
    assert look(root, tmp_path, check, **stranger).verdict is Verdict.OK


def test_libraries_that_devices_need(tmp_path: Path) -> None:
    finding = look(board("rpi4"), tmp_path, "PortAudio", portaudio=None)
    assert (finding.verdict, finding.remedy) == (Verdict.WARN, "sudo apt install libportaudio2")
    assert "python3-picamera2" in look(board("rpi4"), tmp_path, "picamera2", picamera2=None).remedy
    names = [f.name for f in collect(board("laptop"), host(tmp_path, picamera2=None))]
    assert "picamera2" not in names


def test_a_picamera2_that_cannot_be_imported_is_told(tmp_path: Path) -> None:
    why = "ValueError: numpy.dtype size changed"
    finding = look(board("rpi4"), tmp_path, "picamera2", picamera2=why)
    assert finding.verdict is Verdict.WARN
    assert finding.detail == f"installed, but cannot be imported: {why}"
    assert "docs/raspberry-pi.md" in finding.remedy
    assert look(board("rpi4"), tmp_path, "picamera2", picamera2="").verdict is Verdict.OK


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ""),
        ("print('hello')", ""),
        ("raise ValueError('numpy.dtype size changed')", "ValueError: numpy.dtype size changed"),
        ("import os; os.abort()", "it ended the process that tried (status -6)"),
        ("import time; time.sleep(60)", "no end after 2 s"),
    ],
)
def test_a_module_is_imported_in_a_child_process(
    text: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sick_camera.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert import_trouble("sick_camera", timeout_s=2.0 if "sleep" in text else 60.0) == says


def test_a_module_that_is_not_installed_is_no_trouble() -> None:
    assert import_trouble("no_such_camera") is None


def test_room_for_the_journal(tmp_path: Path) -> None:
    finding = look(board("rpi4"), tmp_path, "journal directory")
    assert finding.verdict is Verdict.OK
    assert str(tmp_path / "log/edge-daemon") in finding.detail
    assert not (tmp_path / "log").exists()  # looking makes nothing
    finding = look(board("rpi4"), tmp_path, "journal directory", journal_mib=1e12)
    assert finding.verdict is Verdict.WARN
    assert "max_total_mib" in finding.remedy


def test_a_file_in_the_place_of_the_journals_directory(tmp_path: Path) -> None:
    write(tmp_path, {"log": "not a directory"})
    finding = look(board("rpi4"), tmp_path, "journal directory")
    assert finding.verdict is Verdict.FAIL
    assert f"{tmp_path / 'log'} is no directory" in finding.detail


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_journal_directory_that_may_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir(mode=0o555)
    finding = look(board("rpi4"), tmp_path, "journal directory")
    assert finding.verdict is Verdict.FAIL
    assert "chown edge" in finding.remedy


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_the_services_journal_is_left_to_the_service(tmp_path: Path) -> None:
    """Given to the user who asks, the service could not write there any more."""
    for directory in (tmp_path, *tmp_path.parents[:2]):
        directory.chmod(0o755)
    journal = tmp_path / "log/edge-daemon"
    journal.mkdir(parents=True, mode=0o750)
    os.chown(journal, 1, 1)
    os.seteuid(65534)
    try:
        finding = look(board("rpi4"), tmp_path, "journal directory")
    finally:
        os.seteuid(0)
    assert finding.verdict is Verdict.INFO
    assert finding.detail == f"{journal} belongs to daemon, who writes it"
    assert finding.remedy == "sudo -u daemon edge-daemon doctor"


@pytest.mark.parametrize(
    ("synchronised", "verdict"), [(True, "ok"), (False, "warn"), (None, "info")]
)
def test_the_wall_clock(tmp_path: Path, synchronised: bool | None, verdict: str) -> None:
    finding = look(board("rpi4"), tmp_path, "wall clock", clock_synchronised=synchronised)
    assert finding.verdict == verdict


def test_this_machine_can_be_inspected(tmp_path: Path) -> None:
    here = inspect_host(lambda: ("a runtime", True), tmp_path, 1.0)
    assert here.packages["numpy"] is not None
    assert here.uid == os.geteuid()
    assert os.getegid() in here.gids
    findings = collect(Path("/"), here)
    assert find(findings, "python").verdict is Verdict.OK
    assert find(findings, "packages").verdict is Verdict.OK


NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
MEASURED = Choice(
    structs.replace(
        PUBLISHED, measured=True, made="2026-03-17T11:00:00+00:00", runtime="ai-edge-litert 2.1.6"
    ),
    Path("/var/lib/edge-daemon/profile-one.json"),
    "measured",
)


def profile(tmp_path: Path, found: Choice | ProfileError | None) -> Finding:
    return look(board("rpi5"), tmp_path, "profile of the tiers", profile=found, now=NOW)


def test_a_profile_has_an_age(tmp_path: Path) -> None:
    finding = profile(tmp_path, MEASURED)
    assert finding.verdict is Verdict.OK
    assert finding.detail == "measured 3 days ago (/var/lib/edge-daemon/profile-one.json)"


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ("2026-03-20T11:00:00+00:00", "measured within the last day"),
        ("2026-03-19T12:00:00+00:00", "measured 1 day ago"),
        ("2026-03-21T12:00:00+00:00", "still to come by this clock"),
        ("2026-03-20T12:00:00", "at an unknown time"),
        ("", "at an unknown time"),
    ],
)
def test_ages_of_a_profile(made: str, says: str, tmp_path: Path) -> None:
    found = MEASURED._replace(profile=structs.replace(MEASURED.profile, made=made))
    assert says in profile(tmp_path, found).detail


def test_a_profile_measured_with_another_runtime_is_to_be_measured_again(tmp_path: Path) -> None:
    other = structs.replace(MEASURED.profile, runtime="tflite-runtime 2.14.0")
    finding = profile(tmp_path, MEASURED._replace(profile=other))
    assert finding.verdict is Verdict.WARN
    assert "with tflite-runtime 2.14.0" in finding.detail
    assert "`edge-daemon profile`" in finding.remedy


def test_a_board_that_was_never_measured_is_no_fault(tmp_path: Path) -> None:
    finding = profile(tmp_path, Choice(PUBLISHED, None, "nothing was measured"))
    assert (finding.verdict, finding.detail) == (Verdict.INFO, "nothing was measured")
    assert "`edge-daemon profile`" in finding.remedy


def test_a_profile_that_is_broken(tmp_path: Path) -> None:
    found = profile(tmp_path, Choice(PUBLISHED, None, "the published table serves", trouble=True))
    assert found.verdict is Verdict.WARN
    named = profile(tmp_path, ProfileError("/etc/p.json: format: 2"))
    assert (named.verdict, named.detail) == (Verdict.FAIL, "/etc/p.json: format: 2")


def test_a_profile_of_a_bundle_that_cannot_be_loaded(tmp_path: Path) -> None:
    assert profile(tmp_path, None).verdict is Verdict.INFO


def test_a_bundle_that_others_can_change_is_told(tmp_path: Path) -> None:
    assert "bundle" not in {finding.name for finding in collect(board("rpi5"), host(tmp_path))}
    found = look(board("rpi5"), tmp_path, "bundle", bundle_exposed="anybody may write to /b")
    assert (found.verdict, found.detail) == (Verdict.WARN, "anybody may write to /b")
    assert "chmod -R o-w" in found.remedy
