"""The board's root file system: Debian for arm64, and the daemon installed as on any board."""

import shutil
from pathlib import Path

import soundfile

from tools.board import apt
from tools.board.emulation import enter
from tools.board.process import run

PACKAGES = (
    "systemd-sysv", "udev", "kmod", "dbus", "python3", "python3-venv", "libportaudio2",
    "alsa-utils", "v4l-utils", "procps", "busybox-static",
)  # fmt: skip

LEFT_OUT = ("man", "locale", "info", "doc")
"""Below /usr/share: nobody reads them there."""

CHECKOUT = Path(__file__).resolve().parents[2]

GUEST = Path(__file__).with_name("guest")
"""What only a virtual board has: an agent that runs commands, a sound to hear, its devices."""

VOICE = CHECKOUT / "edge_daemon/demo/clip/audio.flac"
"""What it hears."""

INSTALLER = tuple(
    CHECKOUT / name for name in ("systemd", "constraints.txt", "tools/apt.sh", "tools/venv.sh")
)

RECIPE = repr((apt.SUITE, PACKAGES, LEFT_OUT))

_QUIET = (
    "getty@tty1.service", "serial-getty@ttyAMA0.service", "serial-getty@ttyS1.service",
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
    "e2scrub_reap.service", "fstrim.timer", "systemd-networkd-wait-online.service",
    "systemd-binfmt.service", "proc-sys-fs-binfmt_misc.automount",
)  # fmt: skip


def build_debian(directory: Path) -> None:
    """Make `root.tar`, a Debian without a kernel; six minutes of emulation."""
    options = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEFT_OUT]
    run(
        "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--architectures=arm64",
        "--aptopt=Apt::Install-Recommends \"false\"", f"--include={','.join(PACKAGES)}",
        *options, apt.SUITE, directory / "root.tar", apt.sources(),
    )  # fmt: skip


def build_board(directory: Path, debian: Path, kernel: Path, wheels: Path) -> None:
    """Make `root`, in which the daemon is a service that starts with the board.

    Args:
        directory: where.
        debian: the part with `root.tar`.
        kernel: the part with `modules`.
        wheels: the daemon's own and those that it needs.
    """
    root = directory / "root"
    root.mkdir()
    run("tar", "--extract", "--file", debian / "root.tar", "--directory", root)
    shutil.copytree(kernel / "modules", root / "usr/lib/modules")
    _install_guest(root)
    _install_daemon(root, wheels)


def _install_guest(root: Path) -> None:
    """Copy the guest's files and let its services start."""
    shutil.copytree(GUEST, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for unit in _QUIET:
        (root / "etc/systemd/system" / unit).symlink_to("/dev/null")
    (root / "etc/hostname").write_text("board\n", encoding="utf-8")
    # A first boot would stop to make one, and set up services that were never asked for.
    (root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n", encoding="utf-8")
    (root / "etc/fstab").touch()
    samples, rate_hz = soundfile.read(VOICE)
    soundfile.write(root / "opt/board/voice.wav", samples, rate_hz)  # aplay knows no FLAC
    enter(root, "systemctl", "enable", "agent.service", "voice.service")


def _install_daemon(root: Path, wheels: Path) -> None:
    """Install it with its own installer, which finds everything below /srv."""
    srv = root / "srv"
    for path in INSTALLER:
        target = srv / "checkout" / path.relative_to(CHECKOUT)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target)
        else:
            shutil.copy2(path, target)
    shutil.copytree(wheels, srv / "wheels")
    (wheel,) = (srv / "wheels").glob("edge_daemon-*.whl")
    settings = [f"WHEEL=/srv/wheels/{wheel.name}", "PIP_ARGS=--no-index --find-links=/srv/wheels"]
    enter(root, "env", *settings, "/srv/checkout/systemd/install.sh")
    enter(root, "systemctl", "enable", "edge-daemon.service")
    shutil.rmtree(srv / "checkout")
    shutil.rmtree(srv / "wheels")
