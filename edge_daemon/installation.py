"""The doctor's look at what is installed: Python, packages, the TFLite runtime, libraries."""

from collections.abc import Iterator

from edge_daemon.finding import Finding, Verdict
from edge_daemon.host import Host

OLDEST_PYTHON = (3, 11)


def software(host: Host) -> Iterator[Finding]:
    """Yield what is the case with Python and the packages that the daemon needs."""
    version = tuple(int(part) for part in host.python.split(".")[:2])
    needed = ".".join(map(str, OLDEST_PYTHON))
    if version < OLDEST_PYTHON:
        remedy = f"install Python {needed} or newer, and the package into it"
        yield Finding("python", Verdict.FAIL, f"{host.python} is too old", remedy)
    else:
        yield Finding("python", Verdict.OK, f"{host.python} on {host.machine}")
    missing = [name for name, found in host.packages.items() if found is None]
    if missing:
        remedy = _install(host, *missing)
        yield Finding("packages", Verdict.FAIL, f"missing: {', '.join(missing)}", remedy)
    else:
        found = ", ".join(f"{name} {version}" for name, version in host.packages.items())
        yield Finding("packages", Verdict.OK, found)


def runtime(host: Host) -> Finding:
    """Return whether the TFLite runtime works, and whether it is fast."""
    name = "TFLite runtime"
    if not host.runtimes:
        remedy = _install(host, "ai-edge-litert")
        return Finding(name, Verdict.FAIL, "none is installed", remedy)
    try:
        running, delegated = host.delegates()
    except Exception as error:  # whatever a broken wheel may raise
        installed = ", ".join(f"{name} {version}" for name, version in host.runtimes.items())
        remedy = "reinstall it; an illegal instruction or a missing symbol means the wrong wheel"
        return Finding(name, Verdict.FAIL, f"{installed} does not work: {error}", remedy)
    if not delegated:
        remedy = f"{_install(host, 'ai-edge-litert')}, whose wheels have it switched on"
        detail = f"{running} runs without XNNPACK: inference is several times slower"
        return Finding(name, Verdict.WARN, detail, remedy)
    return Finding(name, Verdict.OK, f"{running} with XNNPACK")


def libraries(host: Host, raspberry_pi: bool) -> Iterator[Finding]:
    """Yield what is the case with the libraries of microphones and of CSI cameras.

    Args:
        host: what `inspect_host` found.
        raspberry_pi: whether a camera by libcamera is to be expected.
    """
    if host.portaudio is None:
        detail = "not found: no microphone can be opened"
        yield Finding("PortAudio", Verdict.WARN, detail, "sudo apt install libportaudio2")
    else:
        yield Finding("PortAudio", Verdict.OK, host.portaudio)
    if host.picamera2 == "":
        yield Finding("picamera2", Verdict.OK, "found")
    elif host.picamera2 is not None:
        detail = f"installed, but cannot be imported: {host.picamera2}"
        remedy = "docs/raspberry-pi.md, `A camera on the ribbon cable`"
        yield Finding("picamera2", Verdict.WARN, detail, remedy)
    elif raspberry_pi:
        remedy = "for `video.source: picamera2`: sudo apt install python3-picamera2, and a virtual "
        remedy += "environment with --system-site-packages"
        yield Finding("picamera2", Verdict.INFO, "not found: no CSI camera by libcamera", remedy)


def _install(host: Host, *packages: str) -> str:
    """Return the command for the very Python that lacks them; the system's own refuses pip."""
    return f"{host.executable} -m pip install {' '.join(packages)}"
