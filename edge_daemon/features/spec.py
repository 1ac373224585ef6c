"""What a model expects at its inputs, as its bundle states it."""

from itertools import pairwise
from typing import Annotated, Literal

from msgspec import Meta, Struct

Positive = Annotated[int, Meta(ge=1)]
Rate = Annotated[float, Meta(gt=0.0)]
Fraction = Annotated[float, Meta(ge=0.0, le=1.0)]


class ImageSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """The image input: float32 [1, height, width, 1], values in `range`.

    Attributes:
        height: rows of the tensor.
        width: columns of the tensor.
        colour: the only one so far is `grey` (ITU-R BT.601 luma).
        contrast: `ink` turns dark strokes on light, unevenly lit paper into bright strokes on
            black; `none` only scales.
        fit: where contrast is `ink`: `ink` finds the drawing and centres it at the size that
            MNIST's digits have; `frame` shrinks the whole picture, as contrast `none` always does.
        range: the values of black and of white.
    """

    height: Positive
    width: Positive
    colour: Literal["grey"] = "grey"
    contrast: Literal["none", "ink"] = "ink"
    fit: Literal["frame", "ink"] = "ink"
    range: tuple[float, float] = (0.0, 1.0)


class AudioSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """The audio input: float32 [1, columns, bands kept, 1], values in 0 to 1.

    A log-mel spectrogram whose first column lies `lead` hops before the onset of the newest
    sound in the last `span_ms`. Columns not heard yet, and everything when there is no sound,
    are 0.

    Attributes:
        sample_rate_hz: rate of the samples.
        window: samples under one Hann window, zero-padded to the next power of two.
        hop: samples between windows.
        bands: mel bands between `low_hz` and `high_hz`.
        band_slice: first band kept and the one after the last.
        stride: every `stride`-th hop becomes a column.
        columns: columns of the tensor.
        lead: hops before the onset at which the first column lies.
        span_ms: how far back an onset is looked for.
        range_db: the decibels, relative to the loudest value since the first column, that become
            0 and 1.
    """

    sample_rate_hz: Positive
    window: Positive
    hop: Positive
    bands: Positive
    low_hz: float
    high_hz: float
    band_slice: tuple[int, int]
    stride: Positive
    columns: Positive
    lead: int
    span_ms: Positive
    range_db: tuple[float, float]

    @property
    def kept_bands(self) -> int:
        """Number of bands that are computed."""
        return self.band_slice[1] - self.band_slice[0]

    @property
    def span(self) -> int:
        """Hops in `span_ms`."""
        return self.span_ms * self.sample_rate_hz // (1000 * self.hop)


class SensorSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """The input for movement: float32 [1, components], values in 0 to 1.

    Attributes:
        rate_hz: rate of the samples of an accelerometer, a gyroscope or the like.
        axes: numbers a sample has.
        window: samples under one window, at least 4.
        hop: samples between windows.
        bands_hz: edges of the bands whose energy counts, rising; from n edges come n - 1 bands. A
            frequency belongs to the band that it begins, and the last edge to the last band.
        components: principal components that are kept of a window's statistics.
    """

    rate_hz: Rate
    axes: Positive
    window: Annotated[int, Meta(ge=4)]
    hop: Positive
    bands_hz: tuple[float, ...]
    components: Positive

    def __post_init__(self) -> None:
        """Check what concerns several fields.

        Raises:
            ValueError: naming the field and what it may be.
        """
        edges_hz, nyquist_hz = self.bands_hz, self.rate_hz / 2
        rising = len(edges_hz) >= 2 and all(low < high for low, high in pairwise(edges_hz))
        if not (rising and edges_hz[0] >= 0.0 and edges_hz[-1] <= nyquist_hz):
            raise ValueError(
                f"bands_hz: needs two or more rising edges from 0 to {nyquist_hz:g}, half of "
                f"rate_hz; got {list(edges_hz)}"
            )
        if self.components > self.statistics:
            raise ValueError(
                f"components: at most the {self.statistics} statistics of a window, "
                f"not {self.components}"
            )

    @property
    def bands(self) -> int:
        """Number of bands."""
        return len(self.bands_hz) - 1

    @property
    def statistics(self) -> int:
        """Number of statistics of one window, before they are reduced."""
        return self.axes * (8 + self.bands) + 1 + self.axes * (self.axes - 1) // 2
