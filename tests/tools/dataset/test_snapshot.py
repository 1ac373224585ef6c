import numpy as np
import pytest
from numpy.typing import NDArray

from edge_daemon.features.ink import drawing, ink
from tools.dataset.snapshot import snapshot
from tools.make_shapes import LABELS, draw


def paper(label: str) -> NDArray[np.uint8]:
    picture = draw(label, np.random.default_rng(1))[..., 0]
    return np.ascontiguousarray(picture[:, 30:210])


@pytest.mark.parametrize("label", LABELS)
def test_a_drawing_stays_whole_and_about_where_it_was(label: str) -> None:
    box = drawing(ink(paper(label)))
    assert box is not None
    for seed in range(30):
        view = snapshot(paper(label), np.random.default_rng(seed))
        assert view.shape == (180, 180)
        assert view.dtype == np.uint8
        found = drawing(ink(view))
        assert found is not None
        # Turning by 8° makes a square's box 1.13 times as large.
        assert 0.84 < found.longest / box.longest < 1.33
        for before, after in (
            (box.left + box.right, found.left + found.right),
            (box.top + box.bottom, found.top + found.bottom),
        ):
            assert abs(after - before) / 2 < 0.12 * 180


def test_views_differ_and_a_seed_repeats_them() -> None:
    first, again, other = (
        snapshot(paper("cross"), np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert np.mean(first != other) > 0.5


def test_light_and_pose_vary_within_bounds() -> None:
    grey = np.full((120, 120), 128, np.uint8)
    grey[:, :60] = 200
    means, edges = [], []
    for seed in range(60):
        view = snapshot(grey, np.random.default_rng(seed)).astype(float)
        means.append(view.mean() / grey.mean())
        columns = np.abs(np.diff(view[50:70].mean(axis=0)))
        edges.append(int(columns.argmax()))
    assert 0.65 < min(means) < 0.85
    assert 1.15 < max(means) < 1.35
    assert 46 <= min(edges) < 58
    assert 62 < max(edges) <= 74
