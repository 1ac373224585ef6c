import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from edge_daemon.inference.bundle import (
    Bundle,
    BundleError,
    TierSpec,
    check_models,
    load_bundle,
    write_bundle,
)
from edge_daemon.inference.manifest import Inputs
from edge_daemon.tier import TIERS, Tier
from tests.data.make_models import AUDIO, IMAGE, bars_model
from tests.inference.scenes import AVDIGITS, BARS, ROOT


@pytest.fixture
def bundle_dir(tmp_path: Path) -> Path:
    """A copy of the bars that a test may spoil."""
    return Path(shutil.copytree(BARS, tmp_path / "bars"))


def edit(directory: Path, old: str, new: str) -> None:
    file = directory / "bundle.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def with_model(directory: Path, tier: Tier, model: bytes, **changes: object) -> Bundle:
    """Put another model in, with a manifest that vouches for it."""
    bundle = load_bundle(directory)
    (directory / f"{tier}.tflite").write_bytes(model)
    digest = hashlib.sha256(model).hexdigest()
    spec = msgspec.structs.replace(bundle.tiers[tier], sha256=digest, bytes=len(model), **changes)
    return rewrite(bundle, {**bundle.tiers, tier: spec})


def rewrite(bundle: Bundle, tiers: dict[Tier, TierSpec], labels: tuple[str, ...] = ()) -> Bundle:
    return write_bundle(
        bundle.path,
        name=bundle.name,
        version=bundle.version,
        labels=labels or bundle.labels,
        tiers=tiers,
    )


@pytest.mark.parametrize("directory", [BARS, AVDIGITS], ids=["bars", "avdigits"])
def test_a_sound_bundle_loads_and_passes(directory: Path) -> None:
    bundle = load_bundle(directory)
    reports = check_models(bundle)
    assert tuple(reports) == tuple(bundle.tiers) == TIERS
    assert all(len(bundle.read_model(tier)) == bundle.tiers[tier].bytes for tier in TIERS)
    for tier, report in reports.items():
        assert {info.name for info in report.inputs} == (
            {"image", "audio"} if bundle.tiers[tier].inputs.audio else {"image"}
        )


def test_the_manifest_may_be_named_instead_of_the_directory() -> None:
    assert load_bundle(BARS / "bundle.yaml") == load_bundle(BARS)


def test_loading_imports_no_runtime() -> None:
    program = (
        "import sys; from pathlib import Path; from edge_daemon.inference.bundle import *\n"
        f"load_bundle(Path({str(BARS)!r})); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = set(done.stdout.split())
    assert "edge_daemon.inference.manifest" in loaded
    assert loaded & {"ai_edge_litert", "tflite_runtime", "cv2"} == set()
    assert "edge_daemon.inference.interpreter" not in loaded


def test_a_missing_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"nowhere/bundle\.yaml: not found"):
        load_bundle(tmp_path / "nowhere")


def test_manifest_errors_name_file_and_field(bundle_dir: Path) -> None:
    edit(bundle_dir, "macs: 784", "makcs: 784")
    with pytest.raises(BundleError, match=r"bundle\.yaml: tiers\.critical\.makcs: unknown field"):
        load_bundle(bundle_dir)


def test_a_changed_model_is_refused(bundle_dir: Path) -> None:
    model = bytearray((bundle_dir / "low.tflite").read_bytes())
    model[-1] ^= 1
    (bundle_dir / "low.tflite").write_bytes(model)
    with pytest.raises(BundleError, match=r"low\.tflite: has SHA-256 .*tiers\.low\.sha256"):
        load_bundle(bundle_dir)


@pytest.mark.parametrize("change", [-1, 1])
def test_a_model_of_another_size_is_refused(bundle_dir: Path, change: int) -> None:
    model = (bundle_dir / "low.tflite").read_bytes()
    (bundle_dir / "low.tflite").write_bytes(model[:-1] if change < 0 else model + b"\0")
    message = rf"low\.tflite: has {len(model) + change} bytes, the manifest says {len(model)}"
    with pytest.raises(BundleError, match=message):
        load_bundle(bundle_dir)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("/etc/passwd", "must be a path inside the bundle"),
        ("../bars/low.tflite", "must be a path inside the bundle"),
        ("a/../../low.tflite", "must be a path inside the bundle"),
        ('""', "must be a path inside the bundle"),
        ("absent.tflite", "not found, or not a file"),
        (".", "not found, or not a file"),
        ('"low\\0.tflite"', "tiers.low.file"),
        ("x" * 300, "tiers.low.file|not found"),
    ],
)
def test_a_model_lies_inside_the_bundle(bundle_dir: Path, file: str, message: str) -> None:
    edit(bundle_dir, "file: low.tflite", f"file: {file}")
    with pytest.raises(BundleError, match=message):
        load_bundle(bundle_dir)


def test_a_link_that_leads_out_is_refused(bundle_dir: Path) -> None:
    outside = bundle_dir.parent / "elsewhere.tflite"
    (bundle_dir / "low.tflite").rename(outside)
    (bundle_dir / "low.tflite").symlink_to(outside)
    with pytest.raises(BundleError, match=r"tiers\.low\.file: low\.tflite leads out"):
        load_bundle(bundle_dir)


def test_a_link_that_stays_inside_is_fine(bundle_dir: Path) -> None:
    (bundle_dir / "low.tflite").rename(bundle_dir / "v1.tflite")
    (bundle_dir / "low.tflite").symlink_to("v1.tflite")
    assert load_bundle(bundle_dir).model_path(Tier.LOW).name == "low.tflite"


def test_a_loop_of_links_is_refused(bundle_dir: Path) -> None:
    (bundle_dir / "low.tflite").unlink()
    (bundle_dir / "low.tflite").symlink_to("low.tflite")
    with pytest.raises(BundleError, match=r"low"):
        load_bundle(bundle_dir)


def test_a_pipe_in_place_of_a_model_does_not_hang(bundle_dir: Path) -> None:
    (bundle_dir / "low.tflite").unlink()
    os.mkfifo(bundle_dir / "low.tflite")
    with pytest.raises(BundleError, match="not a file"):
        load_bundle(bundle_dir)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (bars_model({"image": (1, 14, 14, 1)}), r"image has shape \[1, 14, 14, 1\], the manifest"),
        (bars_model({"picture": IMAGE}), r"takes picture, .*image \(tiers\.low\.inputs\)"),
        (
            bars_model({"image": IMAGE, "audio": AUDIO}),
            "takes audio, image, the manifest says image",
        ),
        (bars_model({"image": IMAGE}, scale=1 / 512), "cannot hold 0 to 1"),
        (bars_model({"image": IMAGE}, zero_point=0), "cannot hold 0 to 1"),
        (bars_model({"image": IMAGE}, signature=None), "0 signatures"),
        (b"TFL3 this is no model", "cannot be loaded"),
    ],
)
def test_a_model_that_disagrees_is_refused(bundle_dir: Path, model: bytes, message: str) -> None:
    bundle = with_model(bundle_dir, Tier.LOW, model)
    with pytest.raises(BundleError, match=r"low\.tflite: .*" + message):
        check_models(bundle)


def test_the_labels_are_counted(bundle_dir: Path) -> None:
    bundle = rewrite(load_bundle(bundle_dir), dict(load_bundle(bundle_dir).tiers), ("a", "b", "c"))
    with pytest.raises(BundleError, match=r"shape \[1, 4\], .*\[1, 3\] \(labels: there are 3\)"):
        check_models(bundle)


def test_a_float_model_passes(bundle_dir: Path) -> None:
    model = bars_model({"image": IMAGE}, quantised=False)
    reports = check_models(with_model(bundle_dir, Tier.LOW, model))
    assert reports[Tier.LOW].inputs[0].dtype == "float32"


def test_another_range_needs_another_scale(bundle_dir: Path) -> None:
    """A manifest that promises −1 to 1 to a model made for 0 to 1 is refused."""
    bundle = load_bundle(bundle_dir)
    image = msgspec.structs.replace(bundle.tiers[Tier.LOW].inputs.image, range=(-1.0, 1.0))
    with pytest.raises(BundleError, match="cannot hold -1 to 1"):
        check_models(
            with_model(
                bundle_dir, Tier.LOW, bundle.read_model(Tier.LOW), inputs=Inputs(image=image)
            )
        )
    signed = bars_model({"image": IMAGE}, scale=1 / 127, zero_point=0)
    check_models(with_model(bundle_dir, Tier.LOW, signed, inputs=Inputs(image=image)))


def test_what_is_written_loads_the_same(bundle_dir: Path) -> None:
    bundle = load_bundle(bundle_dir)
    again = rewrite(bundle, dict(bundle.tiers))
    assert (again.labels, again.tiers) == (bundle.labels, bundle.tiers)
    assert sorted(path.name for path in bundle_dir.iterdir()) == sorted(
        ["bundle.yaml", *(f"{tier}.tflite" for tier in TIERS)]
    )


def test_what_cannot_be_read_is_not_written(bundle_dir: Path) -> None:
    bundle = load_bundle(bundle_dir)
    before = (bundle_dir / "bundle.yaml").read_bytes()
    with pytest.raises(BundleError, match="labels"):
        rewrite(bundle, dict(bundle.tiers), ("same", "same"))
    wrong = msgspec.structs.replace(bundle.tiers[Tier.LOW], sha256="0" * 64)
    with pytest.raises(BundleError, match="SHA-256"):
        rewrite(bundle, {**bundle.tiers, Tier.LOW: wrong})
    assert (bundle_dir / "bundle.yaml").read_bytes() == before
