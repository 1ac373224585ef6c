"""Opens models in a child process, because a malformed one may kill or hang whoever opens it.

    python -m edge_daemon.inference.model_check FILE...

prints one line of JSON for each file, in order, as soon as it has been loaded and run once.
"""

import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from edge_daemon.inference.tensor import TensorInfo

SPARE_BYTES = 1 << 30
"""Address space the child may take beyond what the runtime itself needs."""


class ModelCheckError(Exception):
    """A model cannot be used; the text names the file and says why."""


class ModelReport(Struct, frozen=True):
    """What opening a model showed.

    Attributes:
        file: the model.
        sha256: of the bytes that were opened, in lower-case hexadecimal.
        inputs: by the model's signature.
        outputs: by the model's signature.
        delegated: whether XNNPACK runs it.
        runtime: name and version.
        load_ms: time to load it.
        first_run_ms: time of the first run.
        error: why it cannot be used; the rest is then empty.
    """

    file: str
    sha256: str = ""
    inputs: tuple[TensorInfo, ...] = ()
    outputs: tuple[TensorInfo, ...] = ()
    delegated: bool = False
    runtime: str = ""
    load_ms: float = 0.0
    first_run_ms: float = 0.0
    error: str | None = None


def check_in_child(files: Sequence[Path], timeout_s: float) -> list[ModelReport]:
    """Open models in one child process, and survive whatever happens to it.

    Args:
        files: the models.
        timeout_s: for all of them, the start of the child included.

    Returns:
        A report for each file, in order.

    Raises:
        ModelCheckError: the first file that could not be opened and run, or that killed or hung
            the child.
    """
    command = [sys.executable, "-m", "edge_daemon.inference.model_check", *map(str, files)]
    # The child finds the same packages, wherever it was started from.
    search = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    environment = {**os.environ, "PYTHONPATH": search, "PYTHONSAFEPATH": "1"}
    try:
        child = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment,
            timeout=timeout_s,
            check=False,
        )
        output, fate = child.stdout, _fate(child.returncode, child.stderr)
    except subprocess.TimeoutExpired as error:
        output, fate = error.stdout or b"", f"was not done within {timeout_s:g} s"
    except OSError as error:
        raise ModelCheckError(f"{files[0]}: no process could be started: {error}") from error
    reports = _reports(output)
    for report in reports:
        if report.error is not None:
            raise ModelCheckError(report.error)
    if len(reports) < len(files):
        raise ModelCheckError(f"{files[len(reports)]}: the process that tried it first {fate}")
    return reports


def open_model(file: Path) -> ModelReport:
    """Load a model here and run it once on zeros; a failure that can be caught is in the report."""
    import numpy as np

    from edge_daemon.inference.interpreter import Interpreter, InterpreterError, runtime_version

    try:
        started_s = time.perf_counter()
        model = file.read_bytes()
        interpreter = Interpreter(model, name=str(file))
        loaded_s = time.perf_counter()
        interpreter.run(
            {info.name: np.zeros(info.shape, np.float32) for info in interpreter.inputs.values()}
        )
        run_s = time.perf_counter()
    except (InterpreterError, MemoryError) as error:
        return ModelReport(str(file), error=str(error) or f"{file}: needs too much memory")
    except Exception as error:
        return ModelReport(str(file), error=f"{file}: cannot be used: {error!r}")
    return ModelReport(
        file=str(file),
        sha256=hashlib.sha256(model).hexdigest(),
        inputs=tuple(interpreter.inputs.values()),
        outputs=tuple(interpreter.outputs.values()),
        delegated=interpreter.delegated,
        runtime=runtime_version(),
        load_ms=round((loaded_s - started_s) * 1e3, 3),
        first_run_ms=round((run_s - loaded_s) * 1e3, 3),
    )


def main(files: Sequence[str]) -> None:
    """Open each file and write its report."""
    _limit_resources()
    for file in files:
        sys.stdout.buffer.write(msgspec.json.encode(open_model(Path(file))) + b"\n")
        sys.stdout.buffer.flush()


def _limit_resources() -> None:
    """No core dump on the SD card, and no model that eats the board's memory."""
    import numpy  # noqa: F401 - its libraries must be in before the limit is counted

    from edge_daemon.inference.interpreter import runtime_version

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    runtime_version()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE") + SPARE_BYTES
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _reports(output: bytes) -> list[ModelReport]:
    """Return the reports that came whole: a child that was killed may have cut the last one."""
    reports = []
    for line in output.splitlines():
        if line.startswith(b"{"):
            try:
                reports.append(msgspec.json.decode(line, type=ModelReport))
            except msgspec.DecodeError:
                break
    return reports


def _fate(code: int, messages: bytes) -> str:
    """Say how a child that stopped early ended."""
    lines = messages.decode("utf-8", "replace").strip().splitlines()
    last = [line for line in lines if not line.startswith("INFO:")][-1:]
    said = f" ({last[0][:200]})" if last else ""
    if code < 0:
        names = {number.value: number.name for number in signal.Signals}
        name = names.get(-code, f"signal {-code}")  # most real-time signals have none
        return f"ended with {name}{said}"
    return f"ended with exit code {code}{said}"


if __name__ == "__main__":
    main(sys.argv[1:])
