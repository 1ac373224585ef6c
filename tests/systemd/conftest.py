import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.guest import Guest, GuestError
from tests.systemd.lent import write_pointer
from tests.systemd.service import PYTHON, Service

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without reaching for anything."""
    directory = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    subprocess.run(build, cwd=CHECKOUT, check=True, capture_output=True, timeout=120)
    (built,) = directory.glob("*.whl")
    return built


@contextlib.contextmanager
def booted(wheel: Path, directory: Path) -> Iterator[Guest]:
    """Boot a machine with what there is to install in /srv; skips the test where it cannot."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    for command in ("systemd-nspawn", "nsenter", "make"):
        if shutil.which(command) is None:
            pytest.skip(f"needs {command}")
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    version = [PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    if not Path(PYTHON).exists() or subprocess.check_output(version, text=True).strip() != ours:
        pytest.skip(f"{PYTHON} is not Python {ours}, which the dependencies here are built for")
    packages = Path(next(path for path in sys.path if path.endswith("site-packages")))
    write_pointer(wheel.parent, "/srv/packages")
    binds = {"/srv/checkout": CHECKOUT, "/srv/wheel": wheel.parent, "/srv/packages": packages}
    guest = Guest(directory, binds)
    try:
        guest.__enter__()
    except GuestError as error:
        pytest.skip(str(error))
    try:
        yield guest
    finally:
        guest.__exit__()


@pytest.fixture(scope="session")
def machine(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """The machine that most tests share."""
    with booted(wheel, tmp_path_factory.mktemp("machine")) as guest:
        yield guest


@pytest.fixture(scope="session")
def installed(machine: Guest, wheel: Path) -> Service:
    """The service, as `make install` leaves it."""
    service = Service(machine, wheel.name)
    assert "systemctl enable --now edge-daemon" in service.make("install")
    return service


@pytest.fixture
def service(installed: Service) -> Service:
    """The service, stopped and without a past, on synthetic sources."""
    installed.reset()
    return installed
