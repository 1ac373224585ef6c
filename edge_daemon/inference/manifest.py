"""`bundle.yaml`: its fields, reading it with errors that name the field, and writing it.

The file is YAML whose scalars are all read as text and converted by the types below, so that a
label `no` stays the word and is not false, and a version `1.10` is not a number.
"""

import difflib
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

import msgspec
import yaml
from msgspec import Meta, Struct

from edge_daemon.features.spec import AudioSpec, Fraction, ImageSpec
from edge_daemon.inference.smoothing import UNKNOWN
from edge_daemon.tier import TIERS, Tier

FORMAT = 1
"""Raised when an older daemon could misread a manifest."""

MAX_BYTES = 1 << 18

Parsed = TypeVar("Parsed")


class ManifestError(Exception):
    """The manifest is wrong; the text begins with the field."""


class Accuracy(Struct, frozen=True, forbid_unknown_fields=True):
    """How well a tier did.

    Attributes:
        protocol: how it was measured; docs/results.md says what each one is.
        value: share of the samples that were right.
        samples: how many there were.
    """

    protocol: str
    value: Fraction
    samples: Annotated[int, Meta(ge=1)]


class Inputs(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a tier takes in.

    Attributes:
        image: the picture.
        audio: the sound; None for a tier that does not listen.
        needs_image: whether a tier that listens was not trained to answer without a picture.
    """

    image: ImageSpec
    audio: AudioSpec | None = None
    needs_image: bool = False


class TierSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """One tier of a bundle.

    Attributes:
        file: the model, relative to the manifest.
        sha256: of the model, in lower-case hexadecimal.
        bytes: size of the model.
        inputs: what it takes in.
        output: what it gives: `logits`, or `probabilities` where a softmax is part of it.
        macs: multiply-accumulate operations a run.
        accuracy: how well it did, by protocol.
    """

    file: str
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    bytes: Annotated[int, Meta(ge=1, le=1 << 30)]
    inputs: Inputs
    output: Literal["logits", "probabilities"]
    macs: Annotated[int, Meta(ge=0)] = 0
    accuracy: tuple[Accuracy, ...] = ()


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole manifest.

    Attributes:
        format: version of the format.
        name: of the bundle.
        version: of the bundle, major.minor.patch.
        labels: what the outputs stand for, in their order.
        tiers: all four.
    """

    format: int
    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}\Z")]
    version: Annotated[str, Meta(pattern=r"^\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?\Z")]
    labels: Annotated[tuple[str, ...], Meta(min_length=2, max_length=10_000)]
    tiers: dict[Tier, TierSpec]


class _Head(Struct, forbid_unknown_fields=True):
    """The manifest with its tiers unread: each is converted alone, so that errors can name it."""

    format: int
    name: object
    version: object
    labels: object
    tiers: dict[str, object]


class _Loader(yaml.BaseLoader):
    """Reads every scalar as text and refuses a key that is given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        mapping: dict[object, object] = super().construct_mapping(node, deep=deep)
        if len(mapping) < len(node.value):
            counts = Counter(str(key.value) for key, _ in node.value)
            twice = sorted(key for key, count in counts.items() if count > 1)[:5]
            raise ManifestError(
                f"{', '.join(twice)}: given twice below line {node.start_mark.line + 1}"
            )
        return mapping


def parse_manifest(text: bytes) -> Manifest:
    """Read a manifest and check everything that can be checked without the models.

    Raises:
        ManifestError: not YAML, a field is unknown, missing, of the wrong type or out of range,
            or two fields disagree.
    """
    if len(text) > MAX_BYTES:
        raise ManifestError(f"(whole file): {len(text)} bytes, at most {MAX_BYTES} are read")
    try:
        document = yaml.load(text, Loader=_Loader)
    except RecursionError as error:
        raise ManifestError("(whole file): is nested too deeply") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ManifestError(f"(whole file): is not YAML: {error}") from error
    head = _convert(document, _Head, "")
    if head.format != FORMAT:
        raise ManifestError(f"format: {head.format}; this version reads format {FORMAT}")
    tiers = {
        _tier(key): _convert(value, TierSpec, f"tiers.{key}") for key, value in head.tiers.items()
    }
    absent = [tier for tier in TIERS if tier not in tiers]
    if absent:
        raise ManifestError(f"tiers: {', '.join(absent)} missing; all four are needed")
    whole = {"format": 1, "name": head.name, "version": head.version, "labels": head.labels}
    # Checked above: only the names, the version and the labels can still be refused.
    manifest = _convert({**whole, "tiers": {}}, Manifest, "")
    manifest = msgspec.structs.replace(manifest, tiers={tier: tiers[tier] for tier in TIERS})
    _check_labels(manifest.labels)
    for tier, spec in manifest.tiers.items():
        _check_image(spec.inputs.image, f"tiers.{tier}.inputs.image")
        if spec.inputs.audio is not None:
            _check_audio(spec.inputs.audio, f"tiers.{tier}.inputs.audio")
    _check_one_sound(manifest.tiers)
    return manifest


def dump_manifest(manifest: Manifest) -> bytes:
    """Return the manifest as YAML, dearest tier first; `parse_manifest` gives it back."""
    document = msgspec.to_builtins(manifest)
    document["tiers"] = {
        str(tier): document["tiers"][str(tier)]
        for tier in reversed(TIERS)
        if tier in manifest.tiers
    }
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, default_flow_style=None)
    return text.encode("utf-8")


def _convert(value: object, kind: type[Parsed], field: str) -> Parsed:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ManifestError(_explain(str(error), field)) from error
    except RecursionError as error:
        raise ManifestError(f"{field or '(whole file)'}: is nested too deeply") from error


def _explain(message: str, field: str) -> str:
    """Turn msgspec's message into `field: what is wrong`, with a suggestion where it can help."""
    what, _, where = message.partition(" - at `$")
    where = (field + where.removesuffix("`")).lstrip(".")
    unknown = re.search(r"unknown field `(.*)`", what)
    if unknown is None:
        return f"{where or '(whole file)'}: {what[:1].lower()}{what[1:]}"
    close = difflib.get_close_matches(unknown[1], _field_names(), n=1)
    hint = f"; did you mean {close[0]}?" if close else "; remove it"
    return f"{where + '.' if where else ''}{unknown[1]}: unknown field{hint}"


def _field_names() -> list[str]:
    structs = (Manifest, TierSpec, Inputs, ImageSpec, AudioSpec, Accuracy)
    return [field.name for kind in structs for field in msgspec.structs.fields(kind)]


def _tier(key: str) -> Tier:
    try:
        return Tier(key)
    except ValueError as error:
        close = difflib.get_close_matches(key, TIERS, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(TIERS)}"
        raise ManifestError(f"tiers.{key}: no such tier; {hint}") from error


def _check_labels(labels: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for index, label in enumerate(labels):
        if not label or label != label.strip() or not label.isprintable():
            raise ManifestError(
                f"labels[{index}]: {label!r} is empty, has spaces around it or control characters"
            )
        if label == UNKNOWN:
            raise ManifestError(
                f"labels[{index}]: {UNKNOWN} is what an unsure answer says; rename it"
            )
        if label in seen:
            raise ManifestError(f"labels[{index}]: {label} is there twice")
        seen.add(label)


def _check_image(spec: ImageSpec, field: str) -> None:
    _check(spec.height <= 4096, f"{field}.height", "at most 4096")
    _check(spec.width <= 4096, f"{field}.width", "at most 4096")
    black, white = spec.range
    apart = math.isfinite(black) and math.isfinite(white) and black != white
    _check(apart, f"{field}.range", "needs two different finite values, for black and for white")


def _check_audio(spec: AudioSpec, field: str) -> None:
    _check(spec.sample_rate_hz <= 192_000, f"{field}.sample_rate_hz", "at most 192000")
    _check(spec.span_ms <= 60_000, f"{field}.span_ms", "at most 60000")
    _check(spec.bands <= 1024, f"{field}.bands", "at most 1024")
    _check(spec.columns <= 10_000, f"{field}.columns", "at most 10000")
    span = spec.span_ms * spec.sample_rate_hz // 1000
    _check(spec.window <= span, f"{field}.window", f"at most the {span} samples of span_ms")
    _check(spec.hop <= span, f"{field}.hop", f"at most the {span} samples of span_ms")
    nyquist_hz = spec.sample_rate_hz / 2
    _check(0.0 <= spec.low_hz < nyquist_hz, f"{field}.low_hz", f"from 0 to below {nyquist_hz:g}")
    in_order = spec.low_hz < spec.high_hz <= nyquist_hz
    _check(in_order, f"{field}.high_hz", f"above low_hz and at most {nyquist_hz:g}, half the rate")
    first, after = spec.band_slice
    in_bands = 0 <= first < after <= spec.bands
    _check(in_bands, f"{field}.band_slice", f"needs 0 <= first < last + 1 <= {spec.bands}")
    _check(
        0 <= spec.lead <= spec.span, f"{field}.lead", f"from 0 to the {spec.span} hops of span_ms"
    )
    _check(spec.stride <= spec.span, f"{field}.stride", f"at most the {spec.span} hops of span_ms")
    low_db, high_db = spec.range_db
    in_order = math.isfinite(low_db) and math.isfinite(high_db) and low_db < high_db
    _check(in_order, f"{field}.range_db", "needs two finite values, the lower one first")


def _check_one_sound(tiers: Mapping[Tier, TierSpec]) -> None:
    """Refuse tiers that would need more than one ring or more than one spectrogram."""
    shared = ("sample_rate_hz", "window", "hop", "bands", "low_hz", "high_hz")
    listening = {tier: spec.inputs.audio for tier, spec in tiers.items() if spec.inputs.audio}
    for tier, spec in listening.items():
        for other, other_spec in listening.items():
            for name in shared:
                value, other_value = getattr(spec, name), getattr(other_spec, name)
                if value != other_value:
                    raise ManifestError(
                        f"tiers.{tier}.inputs.audio.{name}: {value}, but {other_value} in {other}; "
                        "tiers that listen share one spectrogram"
                    )


def _check(holds: bool, field: str, remedy: str) -> None:
    if not holds:
        raise ManifestError(f"{field}: {remedy}")
