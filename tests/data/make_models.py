"""Write `tests/data/models/bars`: a bundle of tiny, real TFLite models whose answers are known.

A picture or a spectrogram is bright in one of four bars; label k is the k-th bar (rows of the
image, mel bands of the audio). Each model is RESHAPE and FULLY_CONNECTED for each input, and an
ADD where there are two. The flatbuffers are put together from the schema, so that this needs no
training framework:

    python -m tests.data.make_models
"""

import hashlib
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

LABELS = ("first", "second", "third", "fourth")
IMAGE = (1, 28, 28, 1)
SMALL_IMAGE = (1, 14, 14, 1)
AUDIO = (1, 64, 40, 1)
PARTIAL_AUDIO = (1, 40, 40, 1)
PEAK = 6.0  # logit of a bar that is fully bright
BUNDLE = Path(__file__).parent / "models" / "bars"

_SPECTROGRAM = """\
      audio:
        {sample_rate_hz: 8000, window: 256, hop: 80, bands: 40, low_hz: 60, high_hz: 3800,
         band_slice: [0, 40], stride: 1, columns: %d, lead: 4, span_ms: 1000, range_db: [-60, 0]}
"""


def bar_weights(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return float32 [labels, elements]: +1 in a label's bar, −1/3 elsewhere, scaled to `PEAK`."""
    count = len(LABELS)
    _, rows, columns, _ = shape
    axis, size = (0, rows) if rows == columns else (1, columns)
    bar = np.arange(size) * count // size
    weights = np.where(bar == np.arange(count)[:, None], 1.0, -1.0 / (count - 1))
    other = columns if axis == 0 else rows
    grid = np.repeat(weights[:, :, None], other, axis=2)
    if axis == 1:
        grid = grid.transpose(0, 2, 1)
    return (grid.reshape(count, -1) * PEAK * count / (rows * columns)).astype(np.float32)


class ModelWriter:
    """Collects tensors and operators of one subgraph and packs them into a `.tflite` file.

    Args:
        quantised: int8 tensors with affine parameters; else float32.
        scale: of the inputs.
        zero_point: of the inputs.
    """

    def __init__(
        self, *, quantised: bool = True, scale: float = 1 / 255, zero_point: int = -128
    ) -> None:
        self._quantised = quantised
        self._input_quantisation = (scale, zero_point)
        self._graph = schema.SubGraphT()
        self._graph.tensors, self._graph.operators = [], []
        self._graph.inputs, self._graph.outputs = [], []
        self._buffers = [schema.BufferT()]
        self._codes: list[int] = []

    def build(self, inputs: dict[str, tuple[int, ...]], signature: str | None) -> bytes:
        """Return a model with these inputs and one output, `logits` [1, labels].

        Args:
            inputs: name → shape [1, rows, columns, 1].
            signature: name of the signature; None leaves the model without one.
        """
        scores = [self._branch(name, shape) for name, shape in inputs.items()]
        while len(scores) > 1:
            total = self._tensor("logits", (1, len(LABELS)), quantisation=(0.125, 0))
            self._operator(
                schema.BuiltinOperator.ADD,
                [scores.pop(), scores.pop()],
                total,
                schema.BuiltinOptions.AddOptions,
                schema.AddOptionsT(),
            )
            scores.append(total)
        self._graph.outputs = scores
        return self._pack(list(inputs), signature)

    def _branch(self, name: str, shape: tuple[int, ...]) -> int:
        source = self._tensor(name, shape, quantisation=self._input_quantisation)
        self._graph.inputs.append(source)
        flat_shape = (1, int(np.prod(shape)))
        flat = self._tensor(name + "/flat", flat_shape, quantisation=self._input_quantisation)
        shape_tensor = self._constant(name + "/shape", np.array(flat_shape, np.int32))
        reshape = schema.ReshapeOptionsT()
        reshape.newShape = list(flat_shape)
        self._operator(
            schema.BuiltinOperator.RESHAPE,
            [source, shape_tensor],
            flat,
            schema.BuiltinOptions.ReshapeOptions,
            reshape,
        )
        weights = bar_weights(shape)
        bias = np.zeros(len(LABELS), np.float32)
        if self._quantised:
            weight_scale = float(np.abs(weights).max()) / 127
            quantised = np.rint(weights / weight_scale).astype(np.int8)
            weight = self._constant(name + "/weights", quantised, (weight_scale, 0))
            bias_scale = weight_scale * self._input_quantisation[0]
            offset = self._constant(name + "/bias", bias.astype(np.int32), (bias_scale, 0))
        else:
            weight = self._constant(name + "/weights", weights)
            offset = self._constant(name + "/bias", bias)
        scores = self._tensor(name + "/logits", (1, len(LABELS)), quantisation=(0.0625, 0))
        self._operator(
            schema.BuiltinOperator.FULLY_CONNECTED,
            [flat, weight, offset],
            scores,
            schema.BuiltinOptions.FullyConnectedOptions,
            schema.FullyConnectedOptionsT(),
        )
        return scores

    def _tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        *,
        quantisation: tuple[float, int] | None,
        buffer: int = 0,
        kind: int | None = None,
    ) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name, list(shape), buffer
        default = schema.TensorType.INT8 if self._quantised else schema.TensorType.FLOAT32
        tensor.type = default if kind is None else kind
        if quantisation is not None and self._quantised:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = [quantisation[0]]
            tensor.quantization.zeroPoint = [quantisation[1]]
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _constant(
        self,
        name: str,
        values: NDArray[np.int8] | NDArray[np.int32] | NDArray[np.float32],
        quantisation: tuple[float, int] | None = None,
    ) -> int:
        kinds = {
            "int8": schema.TensorType.INT8,
            "int32": schema.TensorType.INT32,
            "float32": schema.TensorType.FLOAT32,
        }
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        self._buffers.append(buffer)
        return self._tensor(
            name,
            values.shape,
            quantisation=quantisation,
            buffer=len(self._buffers) - 1,
            kind=kinds[values.dtype.name],
        )

    def _operator(
        self, code: int, inputs: list[int], output: int, kind: int, options: object
    ) -> None:
        if code not in self._codes:
            self._codes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = self._codes.index(code)
        operator.inputs, operator.outputs = inputs, [output]
        operator.builtinOptionsType, operator.builtinOptions = kind, options
        self._graph.operators.append(operator)

    def _pack(self, names: list[str], signature: str | None) -> bytes:
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [self._graph], self._buffers
        model.description = "bars"
        model.operatorCodes = []
        versions = {
            schema.BuiltinOperator.FULLY_CONNECTED: 4,
            schema.BuiltinOperator.ADD: 2,
            schema.BuiltinOperator.RESHAPE: 1,
        }
        for code in self._codes:
            entry = schema.OperatorCodeT()
            entry.builtinCode = entry.deprecatedBuiltinCode = code
            entry.version = versions[code] if self._quantised else 1
            model.operatorCodes.append(entry)
        if signature is not None:
            model.signatureDefs = [self._signature(names, signature)]
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())

    def _signature(self, names: list[str], key: str) -> "schema.SignatureDefT":
        definition = schema.SignatureDefT()
        definition.signatureKey, definition.subgraphIndex = key, 0

        def entry(name: str, index: int) -> "schema.TensorMapT":
            mapping = schema.TensorMapT()
            mapping.name, mapping.tensorIndex = name, index
            return mapping

        pairs = zip(names, self._graph.inputs, strict=True)
        definition.inputs = [entry(name, index) for name, index in pairs]
        definition.outputs = [entry("logits", self._graph.outputs[0])]
        return definition


def bars_model(
    inputs: dict[str, tuple[int, ...]],
    *,
    quantised: bool = True,
    signature: str | None = "serving_default",
    scale: float = 1 / 255,
    zero_point: int = -128,
) -> bytes:
    """Return one model of the kind the module describes."""
    writer = ModelWriter(quantised=quantised, scale=scale, zero_point=zero_point)
    return writer.build(inputs, signature)


def main() -> None:
    """Write the bundle."""
    tiers: dict[str, dict[str, tuple[int, ...]]] = {
        "high": {"image": IMAGE, "audio": AUDIO},
        "medium": {"image": IMAGE, "audio": PARTIAL_AUDIO},
        "low": {"image": IMAGE},
        "critical": {"image": SMALL_IMAGE},
    }
    BUNDLE.mkdir(parents=True, exist_ok=True)
    lines = ["format: 1", "name: bars", "version: 1.0.0", f"labels: [{', '.join(LABELS)}]"]
    lines.append("tiers:")
    for tier, inputs in tiers.items():
        model = bars_model(inputs)
        (BUNDLE / f"{tier}.tflite").write_bytes(model)
        elements = sum(int(np.prod(shape)) for shape in inputs.values())
        lines += [
            f"  {tier}:",
            f"    file: {tier}.tflite",
            f"    sha256: {hashlib.sha256(model).hexdigest()}",
            f"    bytes: {len(model)}",
            f"    macs: {elements * len(LABELS)}",
            "    output: logits",
            "    inputs:",
            f"      image: {{height: {inputs['image'][1]}, width: {inputs['image'][2]}, "
            "contrast: none}",
        ]
        if "audio" in inputs:
            lines.append((_SPECTROGRAM % inputs["audio"][1]).rstrip("\n"))
    (BUNDLE / "bundle.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
