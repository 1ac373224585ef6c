"""One TFLite interpreter over `ai-edge-litert` or `tflite-runtime`; quantises and dequantises.

Callers see float32 only. Inputs and outputs are bound by their names in the model's signature,
because the order of the tensors is the converter's and not the caller's.

The affine scheme is that of Jacob et al., "Quantization and Training of Neural Networks for
Efficient Integer-Arithmetic-Only Inference" (CVPR 2018), eq. 1: real = scale · (q − zero_point).
"""

import functools
import importlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from edge_daemon.inference.tensor import TensorInfo

RUNTIMES = ("ai_edge_litert", "tflite_runtime")
"""Packages with the interpreter, the preferred one first."""


class InterpreterError(Exception):
    """A model cannot be loaded or run; the text names the model and says why."""


class _Native(Protocol):
    """What is used of the runtime's own interpreter; the same in both packages."""

    def allocate_tensors(self) -> None: ...
    def get_signature_list(self) -> dict[str, dict[str, list[str]]]: ...
    def get_signature_runner(self, key: str) -> "_Signature": ...
    def set_tensor(self, index: int, value: NDArray[np.generic]) -> None: ...
    def invoke(self) -> None: ...
    def get_tensor(self, index: int) -> NDArray[np.generic]: ...
    def _get_ops_details(self) -> list[dict[str, object]]: ...


class _Signature(Protocol):
    def get_input_details(self) -> dict[str, dict[str, object]]: ...
    def get_output_details(self) -> dict[str, dict[str, object]]: ...


@functools.cache
def _runtime() -> ModuleType:
    """Import and return the first runtime of `RUNTIMES` that works here."""
    reasons = []
    for package in RUNTIMES:
        try:
            module = importlib.import_module(package + ".interpreter")
        except ImportError as error:
            reasons.append(f"{package}: {error}")
            continue
        if package == "tflite_runtime" and int(np.__version__.split(".")[0]) >= 2:
            # Its wheels were built for numpy 1: it imports, and the first model raises SystemError.
            reasons.append(f"{package}: needs numpy < 2, found {np.__version__}")
            continue
        return module
    raise InterpreterError(
        f"no TFLite runtime works here ({'; '.join(reasons)}); install ai-edge-litert, "
        "or tflite-runtime with numpy < 2"
    )


def runtime_version() -> str:
    """Return name and version of the runtime: `ai-edge-litert 2.1.6`."""
    package = _runtime().__name__.partition(".")[0]
    version = getattr(importlib.import_module(package), "__version__", "of unknown version")
    return f"{package.replace('_', '-')} {version}"


class _Quantiser:
    """float32 → integers for one input, with buffers made once."""

    def __init__(self, info: TensorInfo) -> None:
        limits = np.iinfo(info.dtype)
        self._scale = np.float32(info.scale)
        self._zero_point = np.float32(info.zero_point)
        self._lowest, self._highest = np.float32(limits.min), np.float32(limits.max)
        self._real = np.empty(info.shape, np.float32)
        self._integers = np.empty(info.shape, info.dtype)

    def __call__(self, values: NDArray[np.float32]) -> NDArray[np.generic]:
        """Return clip(round(values / scale) + zero_point), in a buffer that the next call reuses.

        Halves round to even. NaN becomes the lowest integer: fmax and fmin pass over it.
        """
        real = self._real
        np.divide(values, self._scale, out=real)
        np.rint(real, out=real)
        np.add(real, self._zero_point, out=real)
        np.fmax(real, self._lowest, out=real)
        np.fmin(real, self._highest, out=real)
        np.copyto(self._integers, real, casting="unsafe")
        return self._integers


class _Input:
    def __init__(self, index: int, info: TensorInfo) -> None:
        self.index, self.name, self.shape = index, info.name, info.shape
        self.quantise = None if info.dtype == "float32" else _Quantiser(info)


class _Output:
    def __init__(self, index: int, info: TensorInfo) -> None:
        self.index, self.name = index, info.name
        self.is_float = info.dtype == "float32"
        self.scale, self.zero_point = np.float32(info.scale), np.float32(info.zero_point)

    def dequantise(self, integers: NDArray[np.generic]) -> NDArray[np.float32]:
        real: NDArray[np.float32] = np.subtract(integers, self.zero_point, dtype=np.float32)
        real *= self.scale
        return real


class Interpreter:
    """A loaded model, ready to run. Used by one thread at a time.

    Args:
        model: the file, or its bytes. Bytes are held in memory while the model is loaded, and
            cannot change underneath it; a file is mapped by the runtime, so that cutting it short
            later would kill the process with SIGBUS.
        threads: that the kernels may use.
        name: of the model, for errors, where `model` is bytes.

    Attributes:
        inputs: by signature name.
        outputs: by signature name.
        delegated: whether XNNPACK runs the graph, or as much of it as it can.

    Raises:
        InterpreterError: not a TFLite model, an operator that the runtime lacks, no memory, no
            signature, or a tensor that is not one of the types or shapes supported.
    """

    def __init__(self, model: Path | bytes, threads: int = 1, *, name: str = "the model") -> None:
        self._name = str(model) if isinstance(model, Path) else name
        if threads < 1:
            raise InterpreterError(f"threads: must be at least 1, not {threads}")
        native = self._load(model, threads)
        self._native: _Native | None = native
        signature = native.get_signature_runner(self._signature_key(native))
        bound_inputs = self._bind(signature.get_input_details())
        bound_outputs = self._bind(signature.get_output_details())
        # A signature held on to makes invoke() refuse to run.
        del signature
        self.inputs = {info.name: info for _, info in bound_inputs}
        self.outputs = {info.name: info for _, info in bound_outputs}
        self.delegated = any(op["op_name"] == "DELEGATE" for op in native._get_ops_details())
        self._inputs = [_Input(index, info) for index, info in bound_inputs]
        self._outputs = [_Output(index, info) for index, info in bound_outputs]

    def run(self, inputs: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """Run the model once.

        Args:
            inputs: float32 for each input, in exactly its shape.

        Returns:
            float32 for each output, in new arrays.

        Raises:
            InterpreterError: an input is missing, unknown or of another shape; the model failed;
                or the interpreter is closed.
        """
        native = self._native
        if native is None:
            raise InterpreterError(f"{self._name}: is closed")
        if len(inputs) != len(self._inputs):
            raise InterpreterError(f"{self._name}: takes {list(self.inputs)}, got {list(inputs)}")
        for bound in self._inputs:
            values = inputs.get(bound.name)
            if values is None:
                raise InterpreterError(f"{self._name}: input {bound.name} is missing")
            if values.shape != bound.shape:
                raise InterpreterError(
                    f"{self._name}: input {bound.name} takes {bound.shape}, got {values.shape}"
                )
        try:
            for bound in self._inputs:
                values, quantise = inputs[bound.name], bound.quantise
                native.set_tensor(bound.index, values if quantise is None else quantise(values))
            native.invoke()
        except (RuntimeError, ValueError) as error:
            raise InterpreterError(f"{self._name}: failed to run: {error}") from error
        return {bound.name: self._read(native, bound) for bound in self._outputs}

    def close(self) -> None:
        """Free the model, its tensors and its threads; safe to call twice."""
        self._native = None
        self._inputs, self._outputs = [], []

    @staticmethod
    def _read(native: _Native, bound: _Output) -> NDArray[np.float32]:
        raw = native.get_tensor(bound.index)
        return cast("NDArray[np.float32]", raw) if bound.is_float else bound.dequantise(raw)

    def _load(self, model: Path | bytes, threads: int) -> _Native:
        try:
            if isinstance(model, Path):
                native = _runtime().Interpreter(model_path=str(model), num_threads=threads)
            elif model:
                native = _runtime().Interpreter(model_content=model, num_threads=threads)
            else:
                raise ValueError("the file is empty")
            native.allocate_tensors()
        except (RuntimeError, ValueError, MemoryError) as error:
            raise InterpreterError(f"{self._name}: cannot be loaded: {error}") from error
        return cast(_Native, native)

    def _signature_key(self, native: _Native) -> str:
        """Return the one signature, or the one that serves."""
        keys = list(native.get_signature_list())
        if len(keys) == 1:
            return keys[0]
        if "serving_default" in keys:
            return "serving_default"
        raise InterpreterError(
            f"{self._name}: has {len(keys)} signatures where one, or one called serving_default, "
            "is needed to bind inputs by name; convert it with a signature"
        )

    def _bind(self, details: dict[str, dict[str, object]]) -> list[tuple[int, TensorInfo]]:
        """Return index and description of each tensor of a signature."""
        bound = []
        for name, detail in details.items():
            dtype = np.dtype(cast(type, detail["dtype"])).name
            shape = tuple(int(size) for size in cast("NDArray[np.int32]", detail["shape"]))
            unknown = cast("NDArray[np.int32]", detail["shape_signature"])
            if any(size < 1 for size in (*shape, *unknown)):
                raise InterpreterError(f"{self._name}: {name} has no fixed shape: {shape}")
            index = cast(int, detail["index"])
            if dtype == "float32":
                bound.append((index, TensorInfo(name, shape, dtype)))
                continue
            if dtype not in ("int8", "uint8", "int16"):
                raise InterpreterError(
                    f"{self._name}: {name} is {dtype}; supported are int8, uint8, int16 and float32"
                )
            scale, zero_point = self._parameters(name, detail)
            bound.append((index, TensorInfo(name, shape, dtype, scale, zero_point)))
        return bound

    def _parameters(self, name: str, detail: dict[str, object]) -> tuple[float, int]:
        """Return scale and zero point of a quantised tensor."""
        parameters = cast("dict[str, NDArray[np.generic]]", detail["quantization_parameters"])
        scales, zero_points = parameters["scales"], parameters["zero_points"]
        if len(scales) != 1 or len(zero_points) != 1:
            raise InterpreterError(
                f"{self._name}: {name} has {len(scales)} scales; inputs and outputs are quantised "
                "per tensor, with one"
            )
        scale = float(cast(float, scales[0]))
        if not (np.isfinite(scale) and scale > 0.0):
            raise InterpreterError(f"{self._name}: {name} has the scale {scale}; it must be > 0")
        return scale, int(cast(int, zero_points[0]))
