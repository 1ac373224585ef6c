import os
import subprocess
import sys
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[2] / "systemd"


class Image:
    """The root of an image that edge-daemon is installed into."""

    def __init__(self, root: Path, wheel: Path) -> None:
        self.root = root
        self.opt = root / "opt" / "edge-daemon"
        self.config = root / "etc" / "edge-daemon" / "config.yaml"
        self.unit = root / "etc" / "systemd" / "system" / "edge-daemon.service"
        self.environ = {
            **os.environ,
            "DESTDIR": str(root),
            "WHEEL": str(wheel),
            "PIP_ARGS": "--no-deps --no-index",
        }

    def run(self, script: str, *arguments: str, status: int = 0) -> str:
        done = subprocess.run(
            [str(SYSTEMD / script), *arguments],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == status, done.stderr
        return done.stdout + done.stderr

    @property
    def slot(self) -> Path:
        return self.opt.parent / self.opt.readlink()

    @property
    def pristine(self) -> Path:
        """The configuration that the installed version came with."""
        return next(self.opt.glob("lib/python3*/site-packages/edge_daemon/config.yaml"))


@pytest.fixture
def image(tmp_path: Path, wheel: Path) -> Image:
    return Image(tmp_path, wheel)


@pytest.mark.slow
def test_install_upgrade_rollback_and_removal(image: Image) -> None:
    said = image.run("install.sh")
    assert "systemctl enable --now edge-daemon" in said
    assert "the image needs libportaudio2 for a microphone" in said
    first = image.slot
    assert image.config.read_text() == image.pristine.read_text()
    assert "ExecStart=/opt/edge-daemon/bin/edge-daemon run" in image.unit.read_text()
    link = image.root / "usr" / "local" / "bin" / "edge-daemon"
    assert str(link.readlink()) == "/opt/edge-daemon/bin/edge-daemon"
    # In the image, nothing may point at the directory that it was made in.
    command = (first / "bin" / "edge-daemon").read_text()
    assert command.startswith(f"#!/opt/{first.name}/bin/python")
    assert str(image.root) not in (first / "pyvenv.cfg").read_text()
    assert (first / "share" / "edge-daemon" / "network-camera.conf").exists()

    # What a Raspberry Pi needs for picamera2 survives an upgrade.
    shared = "include-system-site-packages = true"
    closed = (first / "pyvenv.cfg").read_text()
    assert shared not in closed
    (first / "pyvenv.cfg").write_text(closed.replace("packages = false", "packages = true"))

    # So does an operator's configuration, where the upgrade brings new defaults.
    image.config.write_text("log: {level: debug}\n")
    image.pristine.write_text("# of an earlier version\n")
    assert "kept your" in image.run("install.sh")
    second = image.slot
    assert second != first
    assert shared in (second / "pyvenv.cfg").read_text().splitlines()
    assert image.config.read_text() == "log: {level: debug}\n"
    new = image.config.with_name("config.yaml.new")
    assert new.read_text() == image.pristine.read_text()

    kept = first / "share" / "edge-daemon" / "edge-daemon.service"
    kept.write_text(f"{kept.read_text()}# of the earlier version\n")
    image.run("install.sh", "--rollback")
    assert image.slot == first
    assert image.unit.read_text() == kept.read_text()

    # An upgrade that fails leaves the running version alone.
    whole = image.environ["WHEEL"]
    image.environ["WHEEL"] = str(image.root / "torn.whl")
    assert "untouched" in image.run("install.sh", status=1)
    assert image.slot == first
    assert (first / "bin" / "edge-daemon").exists()
    image.environ["WHEEL"] = whole

    # One that was never changed is brought up to date.
    image.config.write_text("# of an earlier version\n")
    image.run("install.sh")
    assert image.config.read_text() == image.pristine.read_text()
    assert not new.exists()

    journal = image.root / "var" / "log" / "edge-daemon" / "journal.jsonl"
    journal.parent.mkdir(parents=True)
    journal.write_text("{}\n")
    for _ in range(2):
        image.run("uninstall.sh")
        assert not image.unit.exists()
        assert list((image.root / "opt").iterdir()) == []
        assert not link.is_symlink()
        assert image.config.exists()
        assert journal.exists()
    for _ in range(2):
        image.run("uninstall.sh", "--purge")
        assert [path for path in image.root.rglob("*") if not path.is_dir()] == []
        assert not image.config.parent.exists()
        assert not journal.parent.exists()


@pytest.mark.parametrize("script", ["install.sh", "uninstall.sh"])
def test_unknown_arguments_are_refused(image: Image, script: str) -> None:
    assert "unknown argument: --all" in image.run(script, "--all", status=1)


def test_there_must_be_something_to_go_back_to(image: Image) -> None:
    assert "no earlier version" in image.run("install.sh", "--rollback", status=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("python", "seen"),
    [
        ("/home/pi/{bin}", "/home/pi/bin"),  # pyenv's or uv's own
        ("/opt/linked/python3", "/home/pi/{bin}"),  # a link to it
        ("/home/linked/python3", "/home/linked"),  # a link in a home directory
    ],
)
def test_a_python_that_the_service_cannot_see_is_refused(
    python: str, seen: str, wheel: Path
) -> None:
    """In a mount namespace of its own, where /opt and /home are nobody's but the test's."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"]).returncode != 0:
        pytest.skip("needs root and mount namespaces")
    base = Path(sys.executable).resolve()
    inside = str(base.relative_to(sys.base_prefix))
    script = f"""
        mount -t tmpfs none /opt && mount -t tmpfs none /home || exit 77
        mkdir /home/pi /home/linked /opt/linked
        mount --bind {sys.base_prefix} /home/pi
        ln -s /home/pi/{inside} /opt/linked/python3
        ln -s {base} /home/linked/python3
        {SYSTEMD / "install.sh"}; status=$?
        ls -A /opt
        exit $status
    """
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script],
        env={
            **os.environ,
            "WHEEL": str(wheel),
            "DESTDIR": "",
            "PYTHON": python.format(bin=inside),
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    place = seen.format(bin=inside)
    assert f"the service cannot see a Python below /home or /root ({place})" in done.stderr
    assert "install one below /usr/local or /opt" in done.stderr
    assert done.stdout.splitlines() == ["edge-daemon: installing into /opt/edge-daemon.a", "linked"]
