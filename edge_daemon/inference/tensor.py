"""What is known about a model's input or output; imports nothing heavy."""

from dataclasses import dataclass

_LIMITS = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """An input or output of a model.

    Attributes:
        name: in the signature.
        shape: fixed sizes of all dimensions.
        dtype: `int8`, `uint8`, `int16` or `float32`.
        scale: of the affine scheme, per tensor; 1 for float32.
        zero_point: the integer that stands for 0; 0 for float32.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float = 1.0
    zero_point: int = 0

    def holds(self, low: float, high: float) -> bool:
        """Return whether values from `low` to `high` fit, to within one step."""
        if self.dtype == "float32":
            return True
        lowest, highest = _LIMITS[self.dtype]
        bottom = (lowest - self.zero_point - 1) * self.scale
        top = (highest - self.zero_point + 1) * self.scale
        return bottom <= low and high <= top
