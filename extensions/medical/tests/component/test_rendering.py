"""Rendered images of pydicom's own files have the grey levels that pydicom's functions compute."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.pixels import apply_modality_lut, apply_voi_lut, pixel_array

from extensions.medical.smoke import dicom
from medical.instance import Instance
from medical.uids import replace_uid
from medical.voi import LookupTable

from .files import believed, make, save, shipped
from .world import UID_KEY, World, body_of, path_of, pixels_of, problem_of

GREY = (
    "CT_small.dcm",
    "MR_small.dcm",
    "MR_small_RLE.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_implicit.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "JPEG2000.dcm",
    "JPGExtended.dcm",
    "693_J2KI.dcm",
    "image_dfl.dcm",
    "examples_overlay.dcm",
)
"""Uncompressed, deflated, RLE, JPEG 2000, JPEG-LS, JPEG; signed and unsigned; with and without windows."""


def expected(path: Path) -> np.ndarray:
    """Return grey levels by pydicom, from 0 to 255, as floating-point numbers."""
    dataset = dcmread(path)
    values = apply_modality_lut(pixel_array(dataset, index=0), dataset).astype(np.float64)
    if "WindowCenter" in dataset:
        levels = apply_voi_lut(values.astype(np.int32), dataset, prefer_lut=False).astype(np.float64)
        _, low, high = _output_range(dataset)
        return np.asarray(255 * (levels - low) / (high - low))
    low, high = values.min(), values.max()
    return np.asarray(255 * (values - low) / (high - low))


def _output_range(dataset: Any) -> tuple[None, float, float]:
    """Return the range of apply_voi_lut's results: that of modality values (pydicom.pixels.processing)."""
    signed, bits = bool(dataset.PixelRepresentation), int(dataset.BitsStored)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    slope, intercept = float(dataset.get("RescaleSlope", 1)), float(dataset.get("RescaleIntercept", 0))
    return None, low * slope + intercept, high * slope + intercept


@pytest.mark.sample(9)
@pytest.mark.parametrize("name", GREY)
def test_grey_levels_are_those_of_pydicom(world: World, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(believed(shipped(name)))
    instance = world.store(path)
    shown = pixels_of(world.get(path_of(instance, "/rendered"), accept="image/png"))
    assert np.abs(shown - expected(path)).max() <= 0.51


@pytest.mark.slow
def test_frames_are_modality_values(world: World, tmp_path: Path) -> None:
    path = tmp_path / "ct.dcm"
    path.write_bytes(believed(shipped("CT_small.dcm")))
    instance = world.store(path)
    numbers = numbers_of(world.get(path_of(instance, "/frames/1")), (128, 128))
    dataset = dcmread(path)
    assert np.array_equal(
        numbers * instance.scale(1).slope + instance.scale(1).intercept,
        apply_modality_lut(dataset.pixel_array, dataset),
    )
    [metadata] = json.loads(body_of(world.get(path_of(instance, "/metadata"))))
    assert metadata["00281052"]["Value"] == [instance.scale(1).intercept]
    assert metadata["00280010"]["Value"] == [128]


def ramp(world: World, **attributes: Any) -> Instance:
    outcome = world.upload(save(make(**attributes)))
    assert outcome.outcome == "stored", outcome
    return world.read(outcome)


def test_a_requested_window_replaces_that_of_the_file(world: World) -> None:
    instance = ramp(world, WindowCenter=1000, WindowWidth=2000, RescaleSlope=2, RescaleIntercept=-100)
    values = np.arange(64 * 48).reshape(48, 64) * 2 - 100
    for query, levels in (
        ("window=2000,1001", np.clip((values - 1999.5) / 1000 + 0.5, 0, 1)),
        ("window=2000,1000,linear-exact", np.clip((values - 2000) / 1000 + 0.5, 0, 1)),
        ("window=2000,1000,sigmoid", 1 / (1 + np.exp(-4 * (values - 2000) / 1000))),
    ):
        shown = pixels_of(world.get(path_of(instance, f"/rendered?{query}"), accept="image/png"))
        assert np.abs(shown - 255 * levels).max() <= 0.5001, query


def test_monochrome1_is_inverted(world: World) -> None:
    plain, inverted = ramp(world), ramp(world, PhotometricInterpretation="MONOCHROME1")
    one, other = (
        pixels_of(world.get(path_of(instance, "/rendered"), accept="image/png")).astype(int)
        for instance in (plain, inverted)
    )
    assert np.abs(one + other - 255).max() <= 1
    assert one[0, 0] == 0


@pytest.mark.slow
def test_a_modality_lut_and_a_voi_lut_are_applied(world: World) -> None:
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    table = Dataset()
    table.LUTDescriptor = [4096, 0, 16]
    table.ModalityLUTType = "OD"
    table.add_new(0x00283006, "OW", (np.arange(4096, dtype="<u2") * 3).tobytes())
    voi = Dataset()
    voi.LUTDescriptor = [1000, 500, 8]
    voi.add_new(0x00283006, "OW", (np.arange(1000, dtype="<u2") // 4).tobytes())
    instance = ramp(world, ModalityLUTSequence=Sequence([table]), VOILUTSequence=Sequence([voi]))
    values = np.arange(64 * 48).reshape(48, 64) * 3
    assert (instance.low, instance.high) == (0, values.max())
    assert isinstance(instance.presets[0][0], LookupTable)
    shown = pixels_of(world.get(path_of(instance, "/rendered"), accept="image/png"))
    assert np.array_equal(shown, np.clip(values - 500, 0, 999) // 4)


def numbers_of(response: Any, shape: tuple[int, int]) -> np.ndarray:
    """Return the numbers of a frame, as viewers get them."""
    _, _, body = body_of(response).partition(b"\r\n\r\n")
    return np.frombuffer(body[: 2 * shape[0] * shape[1]], "<u2").reshape(shape)


@pytest.mark.slow
def test_frames_have_scales_and_windows_of_their_own(world: World) -> None:
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    groups = []
    for number in range(3):
        scale, window, group = Dataset(), Dataset(), Dataset()
        scale.RescaleSlope, scale.RescaleIntercept = number + 1, -10 * number
        window.WindowCenter, window.WindowWidth = 100 * (number + 1), 50
        group.PixelValueTransformationSequence = Sequence([scale])
        group.FrameVOILUTSequence = Sequence([window])
        groups.append(group)
    frames = np.stack([np.full((8, 8), 100, np.uint16)] * 3)
    instance = world.read(world.upload(save(make(frames, PerFrameFunctionalGroupsSequence=Sequence(groups)))))
    assert [tuple(instance.scale(page)) for page in (1, 2, 3)] == [(1, 0), (2, -10), (3, -20)]
    assert (instance.low, instance.high) == (100, 280)
    for page, value in ((1, 100), (2, 190), (3, 280)):
        shown = pixels_of(world.get(path_of(instance, f"/frames/{page}/rendered"), "image/png"))
        expected = np.clip((value - (100 * page - 0.5)) / 49 + 0.5, 0, 1) * 255
        assert abs(int(shown[0, 0]) - expected) <= 0.51, page


@pytest.mark.slow
def test_values_of_32_bits_are_rounded_to_steps(world: World, tmp_path: Path) -> None:
    path = tmp_path / "dose.dcm"
    path.write_bytes(believed(shipped("rtdose.dcm")))
    instance = world.store(path)
    values = pixel_array(dcmread(path))
    assert (instance.pages, instance.low, instance.high) == (15, values.min(), values.max())
    for page in (1, 15):
        numbers = numbers_of(world.get(path_of(instance, f"/frames/{page}")), (10, 10))
        found = numbers * instance.scale(page).slope + instance.scale(page).intercept
        assert np.abs(found - values[page - 1]).max() <= instance.scale(page).slope / 2 + 1e-6


@pytest.mark.slow
def test_frames_are_pages(world: World) -> None:
    frames = np.stack([np.full((40, 60), 100 * number, np.uint16) for number in range(5)])
    outcome = world.upload(save(make(frames)))
    instance = world.read(outcome)
    assert instance.pages == outcome.pages == 5
    shown = [
        int(pixels_of(world.get(path_of(instance, f"/frames/{number}/rendered?window=200.5,401"), "image/png"))[0, 0])
        for number in range(1, 6)
    ]
    assert shown == [0, 64, 128, 191, 255]
    assert problem_of(world.get(path_of(instance, "/frames/6/rendered")))["code"] == "no-source"


@pytest.mark.slow
def test_a_viewport_reads_a_smaller_copy(world: World) -> None:
    side = 1500
    grid = np.add.outer(np.arange(side), np.arange(side)).astype(np.uint16)
    instance = world.read(world.upload(save(make(grid))))
    assert instance.levels >= 2
    window = f"window={side - 0.5},{2 * side}"
    whole = pixels_of(world.get(path_of(instance, f"/rendered?{window}&viewport=100,200"), "image/png"))
    assert whole.shape == (100, 100)
    assert np.abs(whole.astype(int) - whole.T.astype(int)).max() <= 1
    assert list(np.diff(whole[50].astype(int)) >= 0) == [True] * 99
    part = pixels_of(world.get(path_of(instance, f"/rendered?{window}&viewport=300,300,1200,0,300,300"), "image/png"))
    assert part.shape == (300, 300)
    assert abs(int(part[0, 0]) - 102) <= 2, "of the middle of the upper edge to the right"


@pytest.mark.slow
def test_colours_and_palettes_are_rgb(world: World, tmp_path: Path) -> None:
    for name in ("examples_palette.dcm", "examples_ybr_color.dcm", "SC_rgb_jpeg_dcmtk.dcm"):
        path = tmp_path / name
        path.write_bytes(believed(shipped(name)))
        instance = world.store(path)
        assert instance.colour
        shown = pixels_of(world.get(path_of(instance, "/rendered"), accept="image/png"))
        dataset = dcmread(path)
        if name == "examples_palette.dcm":
            from pydicom.pixels import apply_color_lut

            reference = apply_color_lut(dataset.pixel_array, dataset) >> 8
        else:
            reference = pixel_array(dataset, index=0)
        assert np.array_equal(shown, reference), name


@pytest.mark.slow
def test_series_and_instances_are_listed(world: World) -> None:
    first = make(InstanceNumber=1)
    second = make(InstanceNumber=2)
    for name in ("StudyInstanceUID", "SeriesInstanceUID"):
        setattr(second, name, getattr(first, name))
    one, other = (world.read(world.upload(save(dataset))) for dataset in (first, second))
    assert (one.study, one.series) == (other.study, other.series)
    assert one.instance != other.instance
    base = f"/dicomweb/studies/{one.study}/series"
    [series] = json.loads(body_of(world.get(base)))
    assert series["00201209"]["Value"] == [2]
    listed = json.loads(body_of(world.get(f"{base}/{one.series}/instances")))
    assert {item["00080018"]["Value"][0] for item in listed} == {one.instance, other.instance}
    described = json.loads(body_of(world.get(f"{base}/{one.series}/metadata")))
    assert sorted(item["00200013"]["Value"][0] for item in described) == [1, 2]


@pytest.mark.slow
def test_overlays_without_a_text_model_are_left_out(world: World, tmp_path: Path) -> None:
    path = tmp_path / "overlay.dcm"
    path.write_bytes(believed(shipped("examples_overlay.dcm")))
    assert world.store(path).overlays == ()


def test_the_file_of_darkroom_smoke_is_served_without_its_patient(world: World) -> None:
    outcome = world.upload(dicom("2.25.101", "2.25.102", "2.25.103", "SMOKE^TEST"))
    assert (outcome.outcome, outcome.study) == ("stored", replace_uid("2.25.101", UID_KEY))
    series = f"/dicomweb/studies/{outcome.study}/series/{outcome.series}"
    metadata = world.get(f"{series}/metadata")
    assert metadata["statusCode"] == 200
    assert "SMOKE" not in str(metadata["body"])
    assert world.get(f"{series}/instances/{outcome.instance}/rendered")["statusCode"] == 200
