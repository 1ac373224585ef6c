import os
import shutil
from pathlib import Path

import pytest

from edge_daemon.inference.bundle import (
    Bundle,
    BundleError,
    check_models,
    load_bundle,
    write_bundle,
)
from edge_daemon.inference.exposure import exposure
from tests.inference.scenes import BARS

ME = os.geteuid()


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    directory = Path(shutil.copytree(BARS, tmp_path / "safe/bars"))
    for path in (directory.parent, directory, *directory.iterdir()):
        path.chmod(0o755)
    return load_bundle(directory)


def test_one_that_only_its_owner_can_change(bundle: Bundle) -> None:
    assert exposure(bundle, ME) is None


@pytest.mark.parametrize("name", [".", "bundle.yaml", "low.tflite"])
def test_what_anybody_may_write_is_named(bundle: Bundle, name: str) -> None:
    path = (bundle.path / name).resolve()
    path.chmod(0o777)
    assert exposure(bundle, ME) == f"anybody may write to {path}"


def test_a_folder_between_the_bundle_and_a_model_counts(bundle: Bundle) -> None:
    folder = bundle.path / "models"
    folder.mkdir(mode=0o755)
    (bundle.path / "low.tflite").rename(folder / "low.tflite")
    manifest = bundle.path / "bundle.yaml"
    manifest.write_text(manifest.read_text().replace("low.tflite", "models/low.tflite"))
    inside = load_bundle(bundle.path)
    assert exposure(inside, ME) is None
    folder.chmod(0o777)
    assert exposure(inside, ME) == f"anybody may write to {folder.resolve()}"


def test_a_group_may_write(bundle: Bundle) -> None:
    bundle.path.chmod(0o775)
    assert exposure(bundle, ME) is None


def test_one_whose_directory_anybody_may_replace(bundle: Bundle) -> None:
    bundle.path.parent.chmod(0o777)
    assert exposure(bundle, ME) == (
        f"anybody may rename what is in {bundle.path.parent.resolve()}, and so replace the bundle"
    )
    bundle.path.parent.chmod(0o1777)  # as /tmp is: there each may rename what is their own
    assert exposure(bundle, ME) is None


@pytest.mark.skipif(ME != 0, reason="only root can give a file away")
def test_what_belongs_to_another_user_is_named(bundle: Bundle) -> None:
    model = bundle.path / "high.tflite"
    os.chown(model, 54_321, -1)
    assert exposure(bundle, ME) == f"{model} belongs to user 54321"
    assert exposure(bundle, 54_321) is None  # root's and its own


def test_one_that_vanished_is_told(bundle: Bundle) -> None:
    shutil.move(bundle.path, bundle.path.with_name("elsewhere"))
    with pytest.raises(BundleError):
        exposure(bundle, ME)


def test_what_was_opened_is_what_was_hashed(bundle: Bundle) -> None:
    """A model that is replaced between the two is refused, however good it may be."""
    shutil.copy(BARS / "medium.tflite", bundle.path / "low.tflite")
    with pytest.raises(BundleError, match=r"low\.tflite: was changed while it was opened"):
        check_models(bundle)


def test_a_manifest_is_not_written_through_a_link(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "target").write_text("as it was")
    (bundle.path / "bundle.yaml.new").symlink_to(tmp_path / "target")
    write_bundle(
        bundle.path,
        name=bundle.name,
        version="9.9.9",
        labels=bundle.labels,
        tiers=bundle.tiers,
    )
    assert (tmp_path / "target").read_text() == "as it was"
    assert load_bundle(bundle.path).version == "9.9.9"
