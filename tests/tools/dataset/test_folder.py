from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile

from edge_daemon.features.image import ImageFeatures
from edge_daemon.tier import Tier
from tests.tools.dataset.tables import write_table
from tools.dataset import Dataset, pair
from tools.dataset.folder import MOST_VIEWS, Folder, load_folder, views_of
from tools.dataset.parts import assign_parts
from tools.dataset.table import PARTS, Part, read_table
from tools.make_shapes import LABELS, write_shapes
from tools.training.losses import NOTHING
from tools.training.pools import pools

EACH = 8  # of which 6 train, 1 validates and 1 tests


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shapes(tmp_path_factory.mktemp("shapes"), EACH)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def train(csv: Path, cache: Path) -> Dataset:
    """Three views of each of 18 files."""
    return load_folder(
        Folder(csv, contrast="ink", samples=54), "train", cache_folder=cache, processes=1
    )


def test_a_dataset_says_its_labels_and_how_it_was_made(train: Dataset) -> None:
    assert train.labels == LABELS
    assert train.image_spec(Tier.HIGH) == train.image_spec(Tier.LOW) == train.image_28
    assert train.image_spec(Tier.CRITICAL) == train.image_14
    assert (train.image_28.height, train.image_14.height) == (28, 14)
    assert (train.image_28.contrast, train.image_28.fit) == ("ink", "ink")


def test_rows_are_pairs_in_every_view(train: Dataset) -> None:
    assert train.pictures.images28.shape == (54, 28, 28)
    assert train.pictures.images14.shape == (54, 14, 14)
    assert train.sounds.columns.shape == (55, 64, 40)  # and one silence
    np.testing.assert_array_equal(train.sounds.labels[train.pairs], train.pictures.labels)
    np.testing.assert_array_equal(np.bincount(train.pictures.labels), [18, 18, 18])
    clips = train.sounds.clips[train.pairs].reshape(3, 18)
    assert (clips == clips[0]).all()
    assert len(set(clips[0].tolist())) == 18
    assert len(set(train.pairs.tolist())) == 54
    assert train.sounds.found[train.pairs].mean() > 0.95
    views = train.pictures.images28.reshape(3, 18, -1)
    assert (views[0] != views[1]).any(axis=1).all()


def test_the_first_view_is_the_file_as_it_is(csv: Path, train: Dataset) -> None:
    rows = read_table(csv)
    parts = assign_parts(rows, csv)
    features = ImageFeatures(train.image_28)
    chosen = [row for row, part in zip(rows, parts, strict=True) if part == "train"]
    for place, row in enumerate(chosen):
        assert train.labels[train.pictures.labels[place]] == row.label
        image = cv2.imread(str(row.image))
        expected = features.picture(np.asarray(image, dtype=np.uint8))
        np.testing.assert_array_equal(train.pictures.images28[place], expected)


def test_parts_share_no_file_and_together_are_all(csv: Path, cache: Path) -> None:
    clips: dict[Part, set[int]] = {}
    for part in PARTS:
        data = load_folder(
            Folder(csv, contrast="ink", samples=1), part, cache_folder=cache, processes=1
        )
        clips[part] = set(data.sounds.clips.tolist()) - {-1}
        assert not data.sounds.columns[data.sounds.labels < 0].any()
    assert [len(clips[part]) for part in PARTS] == [18, 3, 3]
    assert len(set.union(*clips.values())) == 3 * EACH


def test_the_same_seed_gives_the_same_views(csv: Path, train: Dataset, tmp_path: Path) -> None:
    options = Folder(csv, contrast="ink", samples=54)
    again = load_folder(options, "train", cache_folder=tmp_path, processes=1)
    np.testing.assert_array_equal(again.pictures.images28, train.pictures.images28)
    np.testing.assert_array_equal(again.sounds.columns, train.sounds.columns)
    np.testing.assert_array_equal(again.pairs, train.pairs)


def test_a_changed_file_is_seen(tmp_path: Path) -> None:
    csv = write_shapes(tmp_path, 3)
    options = Folder(csv, samples=1)
    before = load_folder(options, "train", cache_folder=tmp_path / "c", processes=1)
    for path in tmp_path.glob("*.jpg"):
        cv2.imwrite(str(path), 255 - np.asarray(cv2.imread(str(path))))
    after = load_folder(options, "train", cache_folder=tmp_path / "c", processes=1)
    difference = after.pictures.images28.astype(int) + before.pictures.images28 - 255
    assert np.abs(difference).max() <= 4  # JPEG, twice
    np.testing.assert_array_equal(after.sounds.columns, before.sounds.columns)


@pytest.fixture
def gaps(tmp_path: Path) -> Path:
    """A table in which circles are only seen, bells only heard, and squares are both or either."""
    write_shapes(tmp_path, 4)
    rows: list[tuple[str, str, str]] = []
    for number in range(4):
        rows.append((f"circle_{number:02}.jpg", "", "circle"))
        rows.append(("", f"cross_{number:02}.wav", "bell"))
        rows.append(
            (
                f"square_{number:02}.jpg" if number != 1 else "",
                f"square_{number:02}.wav" if number != 2 else "",
                "square",
            )
        )
    return write_table(tmp_path / "gaps.csv", rows)


def test_what_a_row_lacks_is_absent(gaps: Path, tmp_path: Path) -> None:
    seen: dict[str, list[tuple[bool, bool]]] = {}
    for part in PARTS:
        data = load_folder(Folder(gaps, samples=1), part, cache_folder=tmp_path / "c", processes=1)
        assert data.labels == ("bell", "circle", "square")
        black = np.max(data.pictures.images28, axis=(1, 2)) == 0
        silent = np.max(data.sounds.columns[data.pairs], axis=(1, 2)) == 0
        for label, blind, deaf in zip(data.pictures.labels, black, silent, strict=True):
            seen.setdefault(data.labels[label], []).append((bool(blind), bool(deaf)))
        # What is heard says the same label, or nothing.
        heard = data.sounds.labels[data.pairs]
        assert ((heard == data.pictures.labels) | (heard == NOTHING)).all()
        assert (heard[silent] == NOTHING).all()
    assert seen["circle"] == [(False, True)] * 4
    assert seen["bell"] == [(True, False)] * 4
    assert sorted(seen["square"]) == [(False, False), (False, False), (False, True), (True, False)]


def test_pairs_can_be_drawn_anew_where_labels_lack_a_modality(gaps: Path, tmp_path: Path) -> None:
    data = load_folder(Folder(gaps, samples=30), "train", cache_folder=tmp_path / "c", processes=1)
    pairs = pair(data.pictures.labels, data.sounds.labels, seed=5)
    np.testing.assert_array_equal(data.sounds.labels[pairs], data.pictures.labels)
    pool = pools([data])
    batch = pool.batch(pool.draw(60, 7))
    circles = batch.seen == data.labels.index("circle")
    assert circles.any()
    assert (batch.heard[circles] == NOTHING).all()
    blind = batch.seen == NOTHING
    assert blind.any()
    assert not batch.images28[blind].any()
    assert ((batch.heard == batch.seen) | (batch.heard == NOTHING) | blind).all()


def test_noise_is_mixed_in_and_also_heard_alone(csv: Path, cache: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for number in range(2):
        rattle = random.normal(0, 0.2, 20_000) * (np.arange(20_000) // 2500 % 2)
        soundfile.write(tmp_path / f"rattle{number}.wav", rattle, 8000)
    options = Folder(csv, contrast="ink", noise=tmp_path, samples=54)
    plain = Folder(csv, contrast="ink", samples=54)
    noisy, quiet = (
        load_folder(some, "train", cache_folder=cache, processes=1) for some in (options, plain)
    )
    alone = noisy.sounds.labels < 0
    assert alone.sum() == 1 + round(0.1 * 54)
    assert noisy.sounds.found[alone].sum() >= 4
    np.testing.assert_array_equal(noisy.sounds.columns[:18], quiet.sounds.columns[:18])
    varied = slice(18, 54)
    assert noisy.sounds.columns[varied].mean() > 1.5 * quiet.sounds.columns[varied].mean()
    test = load_folder(options, "test", cache_folder=cache, processes=1)
    assert (test.sounds.labels < 0).sum() == 1


def test_a_noise_folder_without_sounds_is_named(csv: Path, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"no sounds .*put noise there"):
        load_folder(Folder(csv, noise=tmp_path), "train", cache_folder=cache, processes=1)


@pytest.mark.parametrize(
    ("files", "wanted", "views"),
    [(10, 6000, MOST_VIEWS), (100, 6000, 60), (59, 6000, MOST_VIEWS), (9000, 6000, 1), (9, 1, 1)],
)
def test_few_files_have_many_views(files: int, wanted: int, views: int) -> None:
    assert views_of(files, wanted) == views
