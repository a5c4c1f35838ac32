"""The measures on photographs whose history is known."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pytest
from PIL import ImageEnhance, ImageOps

from evidence import double_compression, measures
from evidence.analysis import analyse
from evidence.areas import find_areas, smooth
from evidence.copies import compare_copy
from evidence.dct import FREQUENCIES, compute_coefficients
from evidence.jpeg_header import parse_header
from evidence.pixels import decode_luma
from evidence.quantisation import CHROMA, LUMA, compare_tables, find_quality, load_known, scale_table
from evidence.rates import Rate, load_rates
from evidence.thumbnail import compare_thumbnail
from tests.images.photographs import jpeg_photo

from .images import BOX, build_exif, coffee, compress, decode, make_thumbnail, once, splice, spliced, twice, with_exif


def covers(boxes: Any, expected: tuple[int, int, int, int] = BOX) -> bool:
    """Whether the largest of ``boxes`` is where the splice is: both have most of their areas in common."""
    left, top, width, height = boxes[0]
    across = min(left + width, expected[0] + expected[2]) - max(left, expected[0])
    down = min(top + height, expected[1] + expected[3]) - max(top, expected[1])
    common = max(across, 0) * max(down, 0)
    return common / (width * height + expected[2] * expected[3] - common) > 0.45


def measure_double(jpeg: bytes) -> double_compression.DoubleCompression:
    return double_compression.measure(decode_luma(jpeg), parse_header(jpeg).luma)[0]


def test_an_image_that_was_compressed_twice_is_told_from_one_that_was_not() -> None:
    assert not measures.is_double(measure_double(once()))
    found = measure_double(twice())
    assert found.score > 10 * measures.MIN_DOUBLE_SCORE
    first_steps = {fit.frequency: fit.first_step for fit in found.fits}
    expected = scale_table(LUMA, 70)
    right = [8 * vertical + horizontal for vertical, horizontal in first_steps]
    estimated = [first_steps[place // 8, place % 8] == expected[place] for place in right]
    assert sum(estimated) >= 7, "the quality of the first compression can be estimated"


def test_the_area_of_a_splice_is_found() -> None:
    jpeg = spliced()
    found, coefficients = double_compression.measure(decode_luma(jpeg), parse_header(jpeg).luma)
    area = double_compression.map_blocks(found, coefficients)
    assert measures.has_area(area)
    assert covers([area.box])
    honest, coefficients = double_compression.measure(decode_luma(twice()), parse_header(twice()).luma)
    assert not measures.has_area(double_compression.map_blocks(honest, coefficients))


def test_a_thumbnail_of_before_shows_where_the_image_was_changed() -> None:
    thumbnail = make_thumbnail(coffee())
    assert not measures.thumbnail_differs(compare_thumbnail(once(), thumbnail))
    found = compare_thumbnail(compress(splice(coffee()), 85), thumbnail)
    assert measures.thumbnail_differs(found)
    assert covers(found.boxes)


def test_bars_of_a_thumbnail_are_no_difference_and_crops_are() -> None:
    boxed = ImageOps.pad(coffee().resize((160, 107)), (160, 120), color="black")
    found = compare_thumbnail(once(), compress(boxed, 85))
    assert (found.width, found.is_cropped, found.boxes) == (160, False, ())
    assert 103 <= found.height <= 107
    cropped = compress(coffee().crop((0, 0, 480, 400)), 85)
    assert compare_thumbnail(cropped, make_thumbnail(coffee())).is_cropped


def test_brighter_and_sharper_thumbnails_are_no_difference() -> None:
    brighter = ImageEnhance.Sharpness(ImageEnhance.Brightness(coffee().resize((160, 107))).enhance(1.2)).enhance(1.5)
    assert not measures.thumbnail_differs(compare_thumbnail(once(), compress(brighter, 80)))


def test_libjpegs_tables_are_known_by_their_quality() -> None:
    for quality in (30, 75, 92):
        header = parse_header(once(quality))
        assert (find_quality(header.luma, LUMA), find_quality(header.chroma or (), CHROMA)) == (quality, quality)
        assert compare_tables(header, "", "").is_libjpeg
    assert find_quality((7,) * 64, LUMA) is None


def test_tables_of_a_camera_are_compared_with_its_own() -> None:
    camera = next(one for one in load_known() if one.is_camera)
    tables = {0: camera.luma, 1: camera.chroma}
    written = compress(coffee(), 50, qtables=[list(tables[0]), list(tables[1])])
    found = compare_tables(parse_header(written), camera.make, camera.model.upper())
    assert (found.is_known_model, found.matches_model, camera.name in found.same_as) == (True, True, True)
    other = compare_tables(parse_header(once()), camera.make, camera.model)
    assert (other.is_known_model, other.matches_model) == (True, False)
    unknown = compare_tables(parse_header(once()), "Darkroom", "Pinhole")
    assert (unknown.is_known_model, unknown.matches_model) == (False, None)
    answers = [
        measures.tables_differ(one, name) for one, name in ((found, "x"), (other, "x"), (unknown, "x"), (unknown, ""))
    ]
    assert answers == [False, True, True, None]


def test_every_known_table_has_its_source() -> None:
    assert len({one.name for one in load_known() if one.is_camera}) >= 8
    assert all(one.source and len(one.luma) == len(one.chroma) == 64 for one in load_known())


@pytest.mark.slow
@pytest.mark.parametrize(
    "alter",
    [
        lambda image: compress(image, 55),
        lambda image: compress(image.resize((300, 200)), 85),
        lambda image: compress(image.crop((40, 30, 560, 370)), 85),
        lambda image: compress(ImageEnhance.Brightness(image).enhance(1.15), 85),
    ],
    ids=["recompressed", "reduced", "cropped", "brightened"],
)
def test_near_copies_are_laid_on_the_image_and_differ_where_they_were_changed(alter: Any) -> None:
    honest = compare_copy(once(90), alter(coffee()))
    assert honest is not None
    assert honest.boxes == ()
    changed = compare_copy(once(90), alter(splice(coffee())))
    assert changed is not None
    assert covers(changed.boxes)


@pytest.mark.slow
def test_images_of_other_things_do_not_lie_on_each_other() -> None:
    assert compare_copy(once(), jpeg_photo((600, 400))) is None


@pytest.mark.slow
def test_a_report_on_other_formats_names_what_is_missing() -> None:
    target = io.BytesIO()
    coffee().save(target, "PNG")
    found = analyse(target.getvalue(), {"a.jpg": once()})
    for name in (measures.THUMBNAIL, measures.TABLES, measures.DOUBLE_COMPRESSION, measures.AREA):
        assert (found[name]["state"], found[name]["reason"]) == ("missing", "The image is no JPEG")  # type: ignore[index]
    assert found[measures.COPIES]["a.jpg"]["flagged"] is False  # type: ignore[index]


def test_the_analysis_of_a_splice_has_all_measures() -> None:
    thumbnail = make_thumbnail(coffee())
    jpeg = with_exif(spliced(), build_exif(thumbnail, "SONY", "ILCE-6000"))
    found: Any = analyse(jpeg, {})
    flags = {name: found[name]["flagged"] for name in found if name != measures.COPIES}
    assert flags == {
        measures.THUMBNAIL: True,
        measures.TABLES: True,
        measures.DOUBLE_COMPRESSION: True,
        measures.AREA: True,
    }
    assert covers(found[measures.THUMBNAIL]["value"]["areas"])
    assert found[measures.TABLES]["value"]["libjpeg_quality"] == [88, 88]
    histogram = found[measures.DOUBLE_COMPRESSION]["value"]["histogram"]
    assert math.isclose(sum(histogram["observed"]), 1, abs_tol=0.2)


def test_grey_images_are_measured_and_cmyk_is_refused() -> None:
    grey: Any = analyse(compress(coffee().convert("L"), 85), {})
    assert grey[measures.DOUBLE_COMPRESSION]["state"] == "measured"
    assert grey[measures.TABLES]["value"]["chroma"] == []
    cmyk: Any = analyse(compress(coffee().convert("CMYK"), 85), {})
    assert cmyk[measures.DOUBLE_COMPRESSION]["reason"] == "the image has no luma samples"


def test_small_images_have_no_histogram() -> None:
    small: Any = analyse(compress(coffee().resize((120, 80)), 85), {})
    assert small[measures.DOUBLE_COMPRESSION]["state"] == "refused"
    assert "needs 1000" in small[measures.DOUBLE_COMPRESSION]["reason"]


def test_areas_are_connected_by_edges() -> None:
    mask = np.zeros((5, 6), dtype=bool)
    mask[0, 0] = mask[1, 1] = mask[1, 2] = mask[4, 5] = True
    assert [(one.box, one.size) for one in find_areas(mask)] == [
        ((0, 0, 1, 1), 1),
        ((1, 1, 2, 1), 2),
        ((5, 4, 1, 1), 1),
    ]
    ramp = np.arange(49, dtype=np.float32).reshape(7, 7)
    assert np.allclose(smooth(ramp, 3)[1:-1, 1:-1], ramp[1:-1, 1:-1])
    assert math.isclose(smooth(ramp, 3)[0, 0], ramp[:2, :2].mean())


def test_intervals_are_wilsons() -> None:
    low, high = Rate("x", "y", True, 50, 0).interval
    assert (low, round(high, 3)) == (0.0, 0.071)
    low, high = Rate("x", "y", False, 40, 38).interval
    assert (round(low, 3), round(high, 3)) == (0.835, 0.986)
    assert {one.measure for one in load_rates()} <= set(measures.MEASURES)


def test_coefficients_are_those_of_the_standard() -> None:
    luma = np.asarray(decode(once()).convert("L"))[:64, :64]
    samples = luma[8:16, 16:24].astype(float) - 128
    steps = np.arange(8)

    def coefficient(vertical: int, horizontal: int) -> float:
        """Return the sum of ITU-T T.81, A.3.3."""
        across = np.cos((2 * steps + 1) * horizontal * np.pi / 16)
        down = np.cos((2 * steps + 1) * vertical * np.pi / 16)
        scale = math.prod(1 / math.sqrt(2) if frequency == 0 else 1 for frequency in (vertical, horizontal))
        return float(scale / 4 * (samples * down[:, None] * across[None, :]).sum())

    found = compute_coefficients(luma)[1, 2]
    assert np.allclose(found, [coefficient(*place) for place in FREQUENCIES], atol=1e-2)
