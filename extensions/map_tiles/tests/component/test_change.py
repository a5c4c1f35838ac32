"""Change detection: the index beside scikit-image's, known changes in a real image, and the job with its event."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import rasterio
from skimage.metrics import structural_similarity

from extensions.map_tiles.bench.changes import plant_changes
from map_tiles.comparison import CHANGED_FROM
from map_tiles.structure import fit_radiometry, measure_similarity

from .world import World, decode, middle


def gray(path: Any) -> np.ndarray:
    with rasterio.open(path) as source:
        return np.asarray(source.read(1)[400:700, 400:720], float)


def test_the_index_is_that_of_scikit_image(rasters: Any) -> None:
    before = gray(rasters / "landsat7.tif")
    after = np.clip(before + np.random.default_rng(1).normal(0, 15, before.shape), 0, 255)
    _, expected = structural_similarity(before, after, data_range=255, win_size=7, full=True)
    found = measure_similarity(before, after, np.ones(before.shape, bool), 255)
    assert np.allclose(found[3:-3, 3:-3], expected[3:-3, 3:-3], atol=1e-9)


def test_equal_images_are_equal_and_inverted_ones_are_not(rasters: Any) -> None:
    image = gray(rasters / "landsat7.tif")
    valid = np.ones(image.shape, bool)
    assert np.allclose(measure_similarity(image, image, valid, 255), 1)
    assert measure_similarity(image, 255 - image, valid, 255).mean() < 0.2


def test_pixels_without_data_do_not_count(rasters: Any) -> None:
    image = gray(rasters / "landsat7.tif")
    other, valid = image.copy(), np.ones(image.shape, bool)
    other[100:200, 100:200] = 0
    valid[100:200, 100:200] = False
    assert np.allclose(measure_similarity(image, other, valid, 255)[valid], 1)


def test_brightness_is_fitted_beside_changed_pixels(rasters: Any) -> None:
    after = gray(rasters / "landsat7.tif")
    before = after * 1.7 - 20
    after[:60] = 255  # a fifth; the quartiles withstand a quarter
    found = fit_radiometry(before, after, np.ones(after.shape, bool))
    assert (found.gain, found.offset) == pytest.approx((1.7, -20), abs=0.05)


@pytest.fixture(scope="package")
def changed(world: World, rasters: Any) -> np.ndarray:
    """A later date of Landsat 7: darker, noisy, and with known changes. Returns where they are."""
    body, truth = plant_changes(rasters / "landsat7.tif")
    world.put("later.tif", body)
    world.register("later.tif")
    return truth


@pytest.mark.slow
def test_changes_are_found_and_published(world: World, changed: np.ndarray) -> None:
    world.events.published.clear()
    found = world.jobs.run({"action": "compare", "before": "landsat7.tif", "after": "later.tif"})
    assert world.events.published == [("ChangeFound", found)]
    assert found["threshold"] == CHANGED_FROM
    area = world.store.describe("landsat7.tif").area_km2
    assert 0 < float(str(found["changed_km2"])) < float(str(found["compared_km2"])) <= area * 1.001
    assert float(str(found["usd"])) == pytest.approx(
        float(str(found["seconds"])) * 1769 / 1024 * 0.0000133334, rel=1e-3
    )
    result = world.store.describe(str(found["result"]))
    with world.store.open(result) as dataset:
        scores = dataset.read(1)
        assert dataset.overviews(1) == [2, 4, 8]
    assert found["share"] == pytest.approx(changed[scores > 0].mean(), abs=0.002)
    flagged = scores >= 1 + 254 * CHANGED_FROM
    assert (flagged & changed).sum() / changed[scores > 0].sum() > 0.9  # recall
    assert (flagged & changed).sum() / flagged.sum() > 0.9  # precision
    tile = middle(result)
    assert decode(world.get(f"/tiles/{found['result']}/{tile.z}/{tile.x}/{tile.y}.png")).shape == (256, 256, 2)


@pytest.mark.slow
def test_the_same_date_has_no_change_and_no_event(world: World) -> None:
    world.events.published.clear()
    found = world.jobs.run({"action": "compare", "before": "landsat7.tif", "after": "landsat7.tif"})
    assert found["share"] == 0
    assert world.events.published == []


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"action": "compare", "before": "landsat7.tif", "after": "landsat.tif"}, "bad-option"),
        ({"action": "compare", "before": "landsat7.tif", "after": "none.tif"}, "no-source"),
        ({"action": "compare", "before": "landsat7.tif"}, "bad-option"),
        ({"action": "delete"}, "bad-option"),
        ({"action": "register", "key": "../x"}, "bad-key"),
    ],
)
def test_refusals_are_problem_details(world: World, request_: dict[str, str], code: str) -> None:
    assert world.jobs.run(request_)["code"] == code
