"""A directory with `bundle.yaml` and four models, checked before anything runs."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from edge_daemon.inference.manifest import (
    FORMAT,
    MAX_BYTES,
    Manifest,
    ManifestError,
    dump_manifest,
    parse_manifest,
)
from edge_daemon.inference.manifest import TierSpec as TierSpec
from edge_daemon.inference.model_check import ModelCheckError, ModelReport, check_in_child
from edge_daemon.inference.tensor import TensorInfo
from edge_daemon.tier import Tier

MANIFEST = "bundle.yaml"


class BundleError(Exception):
    """A bundle cannot be used; the text names file and field, and says what to do."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose manifest is sound and whose files are those that it lists.

    Attributes:
        path: the directory.
        sha256: of the manifest, and through the hashes in it of everything.
        name: of the bundle.
        version: major.minor.patch.
        labels: what the outputs stand for, in their order.
        tiers: all four.
    """

    path: Path
    sha256: str
    name: str
    version: str
    labels: tuple[str, ...]
    tiers: Mapping[Tier, TierSpec]

    @property
    def sample_rate_hz(self) -> int | None:
        """The rate that all models that listen share; None where none does."""
        specs = (spec.inputs.audio for spec in self.tiers.values())
        return next((audio.sample_rate_hz for audio in specs if audio is not None), None)

    @property
    def needs_picture(self) -> bool:
        """Whether a model that listens has no answer to sound alone."""
        inputs = (spec.inputs for spec in self.tiers.values())
        return any(one.needs_image for one in inputs if one.audio is not None)

    def model_path(self, tier: Tier) -> Path:
        """Return where the tier's model lies.

        Raises:
            BundleError: it is not a file inside the bundle.
        """
        return _model_path(self.path, self.tiers[tier].file, tier)

    def read_model(self, tier: Tier) -> bytes:
        """Read the tier's model and compare it with the manifest.

        Raises:
            BundleError: it is missing, unreadable, or not the file that the manifest describes.
        """
        path, spec = self.model_path(tier), self.tiers[tier]
        try:
            with path.open("rb") as file:
                model = file.read(spec.bytes + 1)
                size = path.stat().st_size
        except (OSError, MemoryError) as error:
            raise BundleError(f"{path}: cannot be read: {error}") from error
        if len(model) != spec.bytes:
            raise BundleError(
                f"{path}: has {size} bytes, the manifest says {spec.bytes} (tiers.{tier}.bytes); "
                "copy the bundle again"
            )
        found = hashlib.sha256(model).hexdigest()
        if found != spec.sha256:
            raise BundleError(
                f"{path}: has SHA-256 {found}, the manifest says {spec.sha256} "
                f"(tiers.{tier}.sha256); copy the bundle again"
            )
        return model


def load_bundle(path: Path) -> Bundle:
    """Read a bundle and check its manifest and the hashes of its models. Opens no model.

    Args:
        path: the directory, or its `bundle.yaml`.

    Raises:
        BundleError: something is missing or disagrees.
    """
    directory = path.parent if path.name == MANIFEST else path
    file = directory / MANIFEST
    try:
        if not file.is_file():
            raise BundleError(
                f"{file}: not found; a bundle is a directory with {MANIFEST}; the config key "
                "`bundle` names it"
            )
        with file.open("rb") as opened:
            text = opened.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise BundleError(f"{file}: cannot be read: {error}") from error
    try:
        manifest = parse_manifest(text)
    except ManifestError as error:
        raise BundleError(f"{file}: {error}") from error
    bundle = Bundle(
        path=directory,
        sha256=hashlib.sha256(text).hexdigest(),
        name=manifest.name,
        version=manifest.version,
        labels=manifest.labels,
        tiers=manifest.tiers,
    )
    for tier in bundle.tiers:
        bundle.read_model(tier)
    return bundle


def check_models(bundle: Bundle, timeout_s: float = 60.0) -> dict[Tier, ModelReport]:
    """Open each model in a child process and compare it with the manifest.

    Args:
        bundle: what to check.
        timeout_s: for all models together, the start of the child included.

    Returns:
        What the child found.

    Raises:
        BundleError: a model cannot be opened or run, even where it kills or hangs the process
            that tries; or its tensors are not those that the manifest promises.
    """
    paths = {tier: bundle.model_path(tier) for tier in bundle.tiers}
    try:
        reports = check_in_child(list(paths.values()), timeout_s)
    except ModelCheckError as error:
        raise BundleError(f"{error}; restore the file or choose another bundle") from error
    found = dict(zip(paths, reports, strict=True))
    for tier, report in found.items():
        _compare(bundle, tier, report, paths[tier])
    return found


def write_bundle(
    directory: Path,
    *,
    name: str,
    version: str,
    labels: Sequence[str],
    tiers: Mapping[Tier, TierSpec],
) -> Bundle:
    """Write `bundle.yaml` beside its models, and load the result.

    Args:
        directory: where the models already lie.
        name: of the bundle, lower case.
        version: major.minor.patch.
        labels: what the outputs stand for, in their order.
        tiers: all four.

    Raises:
        BundleError: what was given does not make a sound bundle; the manifest is then unchanged.
    """
    manifest = Manifest(FORMAT, name, version, tuple(labels), dict(tiers))
    text = dump_manifest(manifest)
    file = directory / MANIFEST
    try:
        parse_manifest(text)
    except ManifestError as error:
        raise BundleError(f"{file}: {error}") from error
    unchecked = Bundle(directory, "", name, version, tuple(labels), dict(tiers))
    for tier in tiers:
        unchecked.read_model(tier)
    # Whole or not at all, as a daemon may be starting from this directory.
    draft = directory / (MANIFEST + ".new")
    draft.unlink(missing_ok=True)  # rather than write through what lies there
    with draft.open("xb") as opened:
        opened.write(text)
    draft.replace(file)
    return load_bundle(directory)


def _model_path(directory: Path, file: str, tier: Tier) -> Path:
    """Return the path of a model, which may not lie outside the bundle in any way."""
    field = f"{directory / MANIFEST}: tiers.{tier}.file"
    name = PurePosixPath(file)
    if not file or name.is_absolute() or ".." in name.parts:
        raise BundleError(f"{field}: {file!r} must be a path inside the bundle, without ..")
    path = directory / name
    try:
        inside = path.resolve().is_relative_to(directory.resolve())
        is_file = path.is_file()
    except (OSError, RuntimeError, ValueError) as error:  # too long, a loop of links, a zero byte
        raise BundleError(f"{field}: {file!r} is no usable path: {error}") from error
    if not inside:
        raise BundleError(f"{field}: {file} leads out of the bundle; put the model itself there")
    if not is_file:
        raise BundleError(f"{path}: not found, or not a file; the manifest lists it ({tier})")
    return path


def _compare(bundle: Bundle, tier: Tier, report: ModelReport, path: Path) -> None:
    """Refuse a model whose tensors are not those that the manifest promises."""
    spec = bundle.tiers[tier]
    if report.sha256 != spec.sha256:
        raise BundleError(f"{path}: was changed while it was opened; copy the bundle again")
    expected = {"image": (1, spec.inputs.image.height, spec.inputs.image.width, 1)}
    ranges = {"image": (min(spec.inputs.image.range), max(spec.inputs.image.range))}
    audio = spec.inputs.audio
    if audio is not None:
        expected["audio"] = (1, audio.columns, audio.kept_bands, 1)
        ranges["audio"] = (0.0, 1.0)
    inputs = {info.name: info for info in report.inputs}
    if inputs.keys() != expected.keys():
        raise BundleError(
            f"{path}: takes {_names(inputs)}, the manifest says {_names(expected)} "
            f"(tiers.{tier}.inputs)"
        )
    for name, shape in expected.items():
        field = f"(tiers.{tier}.inputs.{name})"
        _compare_shape(path, inputs[name], shape, field)
        low, high = ranges[name]
        info = inputs[name]
        if not info.holds(low, high):
            raise BundleError(
                f"{path}: {name} is {info.dtype} with scale {info.scale:g} and zero point "
                f"{info.zero_point}, which cannot hold {low:g} to {high:g} {field}; "
                "quantise it again over that range"
            )
    if len(report.outputs) != 1:
        raise BundleError(
            f"{path}: gives {_names(info.name for info in report.outputs)}, one output is needed "
            f"(tiers.{tier}.output)"
        )
    labels = len(bundle.labels)
    _compare_shape(path, report.outputs[0], (1, labels), f"(labels: there are {labels})")


def _compare_shape(path: Path, info: TensorInfo, shape: tuple[int, ...], field: str) -> None:
    if info.shape != shape:
        raise BundleError(
            f"{path}: {info.name} has shape {list(info.shape)}, the manifest says {list(shape)} "
            f"{field}; model and manifest do not belong together"
        )


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
