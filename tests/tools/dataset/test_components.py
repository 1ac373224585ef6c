import numpy as np

from tools.dataset.components import fit_components


def test_pictures_of_two_components_survive_two() -> None:
    random = np.random.default_rng(0)
    axes = random.uniform(-30, 30, (2, 144))
    weights = random.uniform(-1, 1, (500, 2))
    images = np.rint(128 + weights @ axes).astype(np.uint8).reshape(500, 12, 12)
    kept = fit_components(images, 2).keep(images)
    assert np.abs(kept.astype(int) - images).max() <= 2
    one = fit_components(images, 1).keep(images)
    assert np.abs(one.astype(int) - images).max() > 10


def test_axes_are_those_of_most_variance_and_orthonormal() -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (300, 12, 12)).astype(np.uint8)
    images[:, 5] //= 4
    components = fit_components(images, 12)
    np.testing.assert_allclose(components.axes @ components.axes.T, np.eye(12), atol=1e-9)
    centred = images.reshape(300, -1) - images.reshape(300, -1).mean(axis=0)
    singular = np.linalg.svd(centred, compute_uv=False)[:12]
    np.testing.assert_allclose(
        np.sqrt(((centred @ components.axes.T) ** 2).sum(axis=0)), singular, rtol=1e-6
    )


def test_other_pictures_do_not_move_the_basis() -> None:
    random = np.random.default_rng(0)
    train, test = random.integers(0, 256, (2, 100, 12, 12)).astype(np.uint8)
    components = fit_components(train, 4)
    alone = components.keep(test[:1])
    np.testing.assert_array_equal(components.keep(test)[:1], alone)
