"""Burned-in text is removed before anything is stored, by the deployment's own model; without it nothing is served."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom.uid import (
    CTImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from darkroom.errors import ModelUnavailable
from darkroom.findings import TEXT
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.sagemaker import Endpoint
from local import tool_venvs
from local.progress import Progress
from local.sagemaker.variants import Variant
from medical.instance import Scale
from medical.text import draw_views, needs_search
from tests.component.endpoint.serving import Server, select_models, serving
from tests.images.detectors import ROOT, models_folder
from tests.sagemaker_apis import client, sagemaker

from .files import make, save
from .world import MASTERS, UPLOADS, World, path_of, pixels_of, problem_of

NAME = "medical-models"
WORDS = ("DOE JOHN", "MRN 4711808", "1961-02-03")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real model server, with the model that reads text alone."""
    asyncio.run(tool_venvs.ensure_one(tool_venvs.ENDPOINT, Progress()))
    folder = tmp_path_factory.mktemp("models")
    for file in models_folder().glob("*.onnx"):
        (folder / file.name).symlink_to(file)
    (folder / "models.toml").write_text(select_models(ROOT / "endpoint" / "models.toml", {TEXT}), encoding="utf-8")
    with serving(folder, tmp_path_factory.mktemp("endpoint")) as started:
        yield started


@pytest.fixture(scope="module")
def endpoint(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The server behind SageMaker's API."""
    with sagemaker(tmp_path_factory.mktemp("sagemaker")) as runtime:
        runtime.endpoints.put(NAME, [Variant("AllTraffic", 1.0, f"http://127.0.0.1:{server.port}")])
        yield Endpoint(client(runtime, "sagemaker-runtime"), NAME)


def read_words(endpoint: Endpoint, image: np.ndarray) -> str:
    """Return what the model reads."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    found = endpoint.invoke(file.getvalue(), (TEXT,), "test").found[TEXT]
    return " ".join(line.text for line in found.lines)


def scan(frames: int = 1) -> np.ndarray:
    """Return 16-bit frames like those of ultrasound, with the name of a patient at the top."""
    random = np.random.default_rng(3)
    pages = []
    for _ in range(frames):
        image = Image.new("I;16", (512, 384))
        speckle = random.gamma(2.0, 200.0, (384, 512)).astype(np.uint16)
        speckle[:90] = 0
        image.putdata(list(map(int, speckle.ravel())))
        text = Image.new("L", image.size)
        draw = ImageDraw.Draw(text)
        for line, word in enumerate(WORDS):
            draw.text((12, 8 + 26 * line), word, 255, ImageFont.load_default(20))
        pages.append(np.where(np.asarray(text) > 100, 4095, speckle).astype(np.uint16))
    return np.stack(pages) if frames > 1 else pages[0]


@pytest.mark.parametrize(
    ("modality", "burned_in", "sop_class", "needed"),
    [
        ("CT", "NO", CTImageStorage, False),
        ("CT", "YES", CTImageStorage, True),
        ("CT", "", CTImageStorage, True),
        ("US", "NO", CTImageStorage, True),
        ("", "NO", CTImageStorage, True),
        ("MG", "NO", "1.2.840.10008.5.1.4.1.1.1.2", False),
        ("CT", "NO", SecondaryCaptureImageStorage, True),
        ("CT", "NO", MultiFrameGrayscaleWordSecondaryCaptureImageStorage, True),
        ("CT", "NO", "1.2.840.10008.5.1.4.1.1.77.1.6", False),
        ("CT", "NO", "", True),
    ],
)
def test_a_header_is_believed_in_some_modalities(modality: str, burned_in: str, sop_class: str, needed: bool) -> None:
    assert needs_search(modality, burned_in, sop_class) is needed


@pytest.mark.parametrize(
    "attributes",
    [
        {"SOPClassUID": SecondaryCaptureImageStorage},
        {"SOPClassUID": MultiFrameGrayscaleWordSecondaryCaptureImageStorage},
        {"ConversionType": "WSD"},
        {"DateOfSecondaryCapture": "20200101"},
        {"SOPClassUID": "1.2.3.4"},
    ],
)
def test_a_secondary_capture_is_searched_whatever_it_claims(world: World, attributes: dict[str, str]) -> None:
    """A screenshot of a slice, which says that it is one of CT without text."""
    assert world.upload(save(make(scan(), **attributes))).outcome == "no-inference"
    assert world.upload(save(make(scan()))).outcome == "stored"


def test_a_view_shows_text_that_extreme_pixels_hide() -> None:
    """A few pixels of metal: in the full range the text has less than one grey level."""
    page = scan() // 16
    page[300:304, 200:204] = 65_535
    views = list(draw_views(page, Scale(1.0, -1024.0), (), (-1024.0, 64_511.0)))
    assert len(views) == 2
    spans = [int(view[:90].max()) - int(view[:90].min()) for view in views]
    assert spans[0] <= 1
    assert spans[1] == 255
    flat = np.full((64, 64), 7, np.uint16)
    assert len(list(draw_views(flat, Scale(1.0, 0.0), (), (7.0, 7.0)))) == 1


@pytest.mark.slow
def test_no_word_beside_extreme_pixels_is_stored(world: World, endpoint: Endpoint) -> None:
    pixels = scan() // 16
    pixels[300:304, 200:204] = 65_535
    reading = replace(world, ingest=replace(world.ingest, endpoint=endpoint))
    outcome = reading.upload(save(make(pixels, Modality="US")))
    assert outcome.covered >= 2
    shown = pixels_of(reading.get(path_of(reading.read(outcome), "/rendered?window=128,256"), "image/png"))
    read = read_words(endpoint, shown).replace(" ", "").upper()
    assert not [word for word in ("DOE", "JOHN", "4711808", "1961") if word in read]


@pytest.mark.slow
@pytest.mark.parametrize("frames", [1, 3])
def test_no_word_is_stored_or_served(world: World, endpoint: Endpoint, frames: int) -> None:
    pixels = scan(frames)
    first = pixels if frames == 1 else pixels[0]
    before = read_words(endpoint, np.clip(first // 16, 0, 255).astype(np.uint8))
    assert "4711808" in before.replace(" ", "")
    dataset = make(pixels, Modality="US", WindowCenter=1000, WindowWidth=2000)
    del dataset.BurnedInAnnotation
    reading = replace(world, ingest=replace(world.ingest, endpoint=endpoint))
    outcome = reading.upload(save(dataset))
    assert outcome.outcome == "stored"
    assert outcome.covered >= 2
    instance = reading.read(outcome)
    assert instance.metadata["00280301"]["Value"] == ["NO"]
    for page in range(1, frames + 1):
        for query in ("window=2048,4096", "window=20,40", "preset=1"):
            shown = pixels_of(reading.get(path_of(instance, f"/frames/{page}/rendered?{query}"), "image/png"))
            read = read_words(endpoint, shown).replace(" ", "").upper()
            assert not [word for word in ("DOE", "JOHN", "4711808", "1961") if word in read], query
        assert shown[200:].std() > 5, "the image below is not covered"


@pytest.mark.slow
def test_text_in_overlays_is_removed(world: World, endpoint: Endpoint) -> None:
    drawn = Image.new("1", (512, 384))
    ImageDraw.Draw(drawn).text((20, 20), WORDS[0], 1, ImageFont.load_default(28))
    ImageDraw.Draw(drawn).ellipse((300, 200, 400, 300), outline=1, width=3)
    mask = np.asarray(drawn)
    dataset = make(np.full((384, 512), 100, np.uint16))
    for element, vr, value in (
        *((0x0010, "US", 384), (0x0011, "US", 512), (0x0040, "CS", "G"), (0x0050, "SS", [1, 1])),
        *((0x0100, "US", 1), (0x0102, "US", 0), (0x3000, "OW", np.packbits(mask, bitorder="little").tobytes())),
    ):
        dataset.add_new(0x60000000 | element, vr, value)
    reading = replace(world, ingest=replace(world.ingest, endpoint=endpoint))
    instance = reading.read(reading.upload(save(dataset)))
    assert len(instance.overlays) == 1
    plain, drawn_on = (
        pixels_of(reading.get(path_of(instance, f"/rendered?window=500,1000&overlays={state}"), "image/png"))
        for state in ("off", "on")
    )
    changed = plain != drawn_on
    assert changed[200:].any(), "the ellipse"
    assert not changed[:70].any(), "the name"


@pytest.mark.slow
def test_without_a_model_nothing_is_stored(world: World) -> None:
    world.empty()
    outcome = world.upload(save(make(scan(), Modality="US")))
    assert (outcome.outcome, outcome.code) == ("no-inference", "no-inference")
    assert [name.rpartition(".")[2] for name in world.names(MASTERS)] == ["json"]
    assert [name.rpartition(".")[2] for name in world.names(UPLOADS, "quarantine/")] == ["dcm", "json"]
    [document] = [json.loads(body) for body in world.objects(MASTERS).values()]
    base = f"/dicomweb/studies/{document['study']}/series/{document['series']}/instances/{document['instance']}"
    for path in ("/rendered", "/frames/1", "/frames/1/rendered"):
        response = world.get(base + path)
        assert (response["statusCode"], problem_of(response)["code"]) == (501, "no-inference")
        assert "no model" in problem_of(response)["detail"]


def test_while_the_model_does_not_respond_nothing_is_served(world: World) -> None:
    world.empty()
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    silent = Endpoint(create_client("sagemaker-runtime", nowhere, attempts=1), NAME)
    failing = replace(world, ingest=replace(world.ingest, endpoint=silent))
    body = save(make(scan(), Modality="US"))
    with pytest.raises(ModelUnavailable):
        failing.upload(body)
    assert world.names(UPLOADS) == ["incoming/image.dcm"], "it is received again"
    [document] = [json.loads(found) for found in world.objects(MASTERS).values()]
    assert (document["state"], document["master"]) == ("pending", "")
    base = f"/dicomweb/studies/{document['study']}/series/{document['series']}/instances/{document['instance']}"
    response = world.get(base + "/rendered")
    assert (response["statusCode"], problem_of(response)["code"]) == (503, "findings-pending")
    assert response["headers"]["retry-after"]
