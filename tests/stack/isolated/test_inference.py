"""A stack with inference: findings of uploads, derivatives with them, and an unavailable endpoint."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import os
import secrets
import signal
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.config import Config
from PIL import Image

from darkroom.services.live_settings import FRESH_S
from local.paths import ENDPOINT, MODELS, ROOT
from tests.component.browser.browser import CHROMIUM, Page, open_browser
from tests.component.models.detector import CLASSES, square_detector
from tests.corpus import CORPUS
from tests.documents import accuracy_in_order, page, photographed, words
from tests.images.photographs import jpeg_photo, photograph
from tests.stack.conftest import Stack, start_stack, stop_stack
from tests.stack.inference_client import HANG_S, InferenceClient, detected
from tests.stack.operating import Operator
from tests.waiting import wait_until

DETECTOR = """
[[model]]
name = "squares"
task = "objects"
version = "1"
artefact = "squares.onnx"
labels = "squares.txt"
prepare = "letterbox"
read = "boxes"
thresholds = { box = 0.5, overlap = 0.5 }
input = { side_px = 160, layout = "channels-first", deviation = [255, 255, 255] }
[model.boxes]
layout = "yolov8"
"""

PREFIX = f"people-{secrets.token_hex(4)}/"
GROUP = CORPUS / "people" / "two-men.jpg"


@pytest.fixture(scope="module")
def inferring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = start_stack(tmp_path_factory.mktemp("inferring"), "--no-watch")
    yield running
    assert stop_stack(running) == 0


@pytest.fixture(scope="module")
def inference(inferring: Stack) -> InferenceClient:
    viewer = inferring.viewer()
    found = InferenceClient(inferring, viewer)
    found.ready()
    return found


@pytest.fixture(scope="module")
def group(inference: InferenceClient) -> tuple[str, int]:
    """A photograph with faces that the endpoint has analysed: its key, and how many faces it has found."""
    key = f"{PREFIX}group.jpg"
    inference.upload(key, GROUP.read_bytes() if GROUP.exists() else jpeg_photo(size=(1200, 1200)))
    tasks = inference.analysed(key)
    assert {"faces", "text", "moderation", "similarity", "tags", "likeness"} == set(tasks)
    return key, len(tasks["faces"]["faces"])


def test_boxes_lie_where_the_faces_are(inference: InferenceClient, group: tuple[str, int]) -> None:
    key, count = group
    image = inference.image(key, "w=960")
    faces = inference.findings_of(key)["findings"]["tasks"]["faces"]["faces"]
    assert len(faces) == count >= (2 if GROUP.exists() else 1)
    for face in faces:
        left, top, width, height = face["box"]
        wide, high = width * image.width, height * image.height
        around = image.crop(
            (
                round(left * image.width - wide),
                round(top * image.height - high),
                round((left + width) * image.width + wide),
                round((top + height) * image.height + high),
            )
        )
        assert detected(around.resize((around.width * 2, around.height * 2))), face


def test_a_square_around_the_faces_keeps_every_one(inference: InferenceClient, group: tuple[str, int]) -> None:
    key, count = group
    square = inference.image(key, "w=400&h=400&fit=cover&g=face&f=png")
    assert square.size == (400, 400)
    assert len(detected(square.resize((800, 800)))) >= count


def test_a_redacted_derivative_has_no_face_left(inference: InferenceClient, group: tuple[str, int]) -> None:
    key, count = group
    assert len(detected(inference.image(key, "w=960&f=png"))) >= count  # the detector is not blind
    assert detected(inference.image(key, "w=960&redact=faces&f=png")) == ()
    assert detected(inference.image(key, "w=400&h=400&fit=cover&g=face&redact=faces&f=png")) == ()


def test_a_photographed_page_is_read(inference: InferenceClient) -> None:
    expected, key = words(220), f"{PREFIX}page.jpg"
    inference.upload(key, photographed(page(expected), 4))
    lines = inference.analysed(key)["text"]["lines"]
    accuracy = accuracy_in_order(expected, (line["text"] for line in lines))
    print(f"{accuracy:.1%} of {len(expected)} words")
    assert accuracy >= 0.95


def test_boto3_is_answered_as_functions_are(inferring: Stack, inference: InferenceClient) -> None:
    url = json.loads((inferring.state / "stack.json").read_text())["sagemaker_url"]
    client: Any = boto3.client(
        "sagemaker-runtime",
        endpoint_url=url,
        region_name=inferring.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    answer = client.invoke_endpoint(
        EndpointName=ENDPOINT, Body=jpeg_photo(), ContentType="image/jpeg", CustomAttributes="tasks=faces"
    )
    assert answer["InvokedProductionVariant"] == "main"
    assert len(json.loads(answer["Body"].read())["tasks"]["faces"]["faces"]) == 1
    with urllib.request.urlopen(f"{inferring.control_url}/sagemaker", timeout=HANG_S) as answer_of_control:
        [main] = json.load(answer_of_control)[ENDPOINT]
    assert main["weight"] == 1.0
    assert main["invocations"] > 0


@pytest.fixture
def canary(inferring: Stack, inference: InferenceClient) -> Iterator[str]:
    """The same models a second time, as a variant that takes a tenth of the calls; its name."""
    url, name = f"{inferring.control_url}/sagemaker/{ENDPOINT}/variants", "canary"
    document = json.dumps({"name": name, "models": str(MODELS), "weight": 0.11}).encode()
    urllib.request.urlopen(urllib.request.Request(url, document, method="POST"), timeout=HANG_S).close()
    yield name
    urllib.request.urlopen(urllib.request.Request(f"{url}/{name}", method="DELETE"), timeout=HANG_S).close()


def _analysed_uploads(inference: InferenceClient) -> Iterator[str]:
    """Yield analysed uploads one by one until the caches of a switch have expired."""
    ends_s = time.monotonic() + HANG_S
    for number in itertools.takewhile(lambda _: time.monotonic() < ends_s, itertools.count(100)):
        key = f"{PREFIX}analysed-{number}.jpg"
        inference.upload(key, _variation(number))
        wait_until(lambda key=key: inference.makers(key), f"{key} is analysed", HANG_S)  # type: ignore[misc]
        yield key


def test_the_runbook_of_models_that_regressed(
    inferring: Stack, inference: InferenceClient, canary: str, tmp_path: Path
) -> None:
    operator = Operator(inferring, tmp_path)
    registered = operator.darkroom("registry", "register", "--image", str(MODELS))
    assert registered.returncode == 0, registered.stderr
    version = registered.stdout.strip().rpartition("/")[2]
    said = operator.follow("model-regressed.md")
    assert said.startswith(f"main\t1.0\t1\n{canary}\t0.11\t1\n")
    assert f"\n{version}  PendingManualApproval  {MODELS.as_uri()}\n" in said

    assert f"{version}  PendingManualApproval" in operator.follow("../operations/routines.md", 10)

    said = operator.follow("model-regressed.md", 1, 2)
    assert said.splitlines()[-2] == "no shift was found"
    assert said.splitlines()[-1].endswith(f":endpoint/{ENDPOINT}")
    try:
        operator.follow("model-regressed.md", 3)
        key = next(key for key in _analysed_uploads(inference) if inference.makers(key)["faces"] == "fallback")
    finally:
        assert "fallback: off" in operator.follow("model-regressed.md", 4).splitlines()

    said = operator.follow("model-regressed.md", 5)
    entries = [json.loads(line) for line in said.splitlines() if line.startswith('{"at"')]
    assert [one["facts"]["on"] for one in entries if one["subject"] == "switch fallback"][-2:] == [True, False]
    assert f"\nmain\t1.0\t1\n{canary}\t0.0\t1\n" in said
    found = json.loads(said.splitlines()[-1])
    assert found.keys() == {"quality", "rollout"}
    assert found["quality"].keys() == {"pictures", "not_measured", "main"}
    assert found["quality"]["not_measured"] == [], "the golden set has labels of every task"
    assert {"faces", "text", "moderation", "tags"} == found["quality"]["main"].keys()
    wait_until(lambda: set(inference.makers(key).values()) == {"endpoint"}, "the endpoint has looked again", HANG_S)


def test_the_runbook_of_a_slow_endpoint(inferring: Stack, inference: InferenceClient, tmp_path: Path) -> None:
    operator = Operator(inferring, tmp_path)
    *calls, waiting, variant = operator.follow("model-slow.md").splitlines()
    assert all(float(average) <= float(longest) for average, longest, _ in (line.split("\t") for line in calls))
    assert len(waiting.split("\t")) == 3
    assert variant == "main\t1.0\t1"
    try:
        assert "fallback: on until" in operator.follow("model-slow.md", 1)
        key = next(key for key in _analysed_uploads(inference) if inference.makers(key)["faces"] == "fallback")
    finally:
        assert "fallback: off" in operator.follow("model-slow.md", 2).splitlines()
    wait_until(lambda: set(inference.makers(key).values()) == {"endpoint"}, "the endpoint has looked again", HANG_S)
    assert len(operator.follow("model-slow.md", 3).splitlines()[-1].split("\t")) == 3


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_the_start_page_shows_it(inferring: Stack, inference: InferenceClient, group: tuple[str, int]) -> None:
    key, count = group

    async def look() -> None:
        async with open_browser() as page:
            await page.resize(width=1280)
            await page.open(f"{inferring.cdn_url}/#{key}")
            await _shown(page, count)
            assert page.errors == []

    asyncio.run(look())


async def _shown(page: Page, count: int) -> None:
    await page.until(f"document.querySelectorAll('.overlay .mark.faces').length === {count}", HANG_S)
    await page.until("document.querySelector('.compare .after')?.naturalWidth", HANG_S)
    by = await page.evaluate("[...document.querySelectorAll('.task .chip')].map(chip => chip.textContent)")
    assert "endpoint" in by


def _uploads_of(inference: InferenceClient, image: Image.Image) -> Iterator[str]:
    """Yield analysed uploads of ``image`` until the function reads new settings, which takes up to a minute."""
    ends_s = time.monotonic() + HANG_S
    series = secrets.token_hex(4)
    for number in itertools.takewhile(lambda _: time.monotonic() < ends_s, itertools.count()):
        key = f"{PREFIX}{series}-{number}.png"
        image.putpixel((0, 0), (number % 256, *secrets.token_bytes(2)))  # no duplicate, whose findings would be copied
        with io.BytesIO() as file:
            image.save(file, "PNG")
            inference.upload(key, file.getvalue())
        wait_until(lambda key=key: inference.makers(key), f"{key} is analysed", HANG_S)  # type: ignore[misc]
        yield key


@pytest.fixture
def own_detector(inferring: Stack, inference: InferenceClient, tmp_path: Path) -> Iterator[None]:
    """The endpoint with a detector of coloured squares, and the task ``objects`` in the settings."""
    folder = tmp_path / "models"
    folder.mkdir()
    for file in MODELS.glob("*.onnx"):
        (folder / file.name).symlink_to(file)
    (folder / "squares.onnx").write_bytes(square_detector("yolov8", 160))
    (folder / "squares.txt").write_text("\n".join(CLASSES), encoding="utf-8")
    (folder / "models.toml").write_text((ROOT / "endpoint" / "models.toml").read_text() + DETECTOR, encoding="utf-8")
    variants = f"{inferring.control_url}/sagemaker/{ENDPOINT}/variants"
    document = json.dumps({"name": "own", "models": str(folder), "weight": 1}).encode()
    urllib.request.urlopen(urllib.request.Request(variants, document, method="POST"), timeout=HANG_S).close()
    operator = Operator(inferring, tmp_path)
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"tasks": ["faces", "text", "objects"]}))
    assert operator.darkroom("settings", "apply", str(settings), "--by", "test", "--yes").returncode == 0
    _set_weights(inferring, main=0.0, own=1.0)
    yield
    _set_weights(inferring, main=1.0, own=0.0)
    settings.write_text("{}")
    assert operator.darkroom("settings", "apply", str(settings), "--by", "test", "--yes").returncode == 0
    urllib.request.urlopen(urllib.request.Request(f"{variants}/own", method="DELETE"), timeout=HANG_S).close()
    time.sleep(FRESH_S)  # each instance of the function keeps the settings of this test until then


def _set_weights(stack: Stack, **weights: float) -> None:
    sagemaker: Any = boto3.client(
        "sagemaker",
        endpoint_url=json.loads((stack.state / "stack.json").read_text())["sagemaker_url"],
        region_name=stack.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    wanted = [{"VariantName": name, "DesiredWeight": weight} for name, weight in weights.items()]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=ENDPOINT, DesiredWeightsAndCapacities=wanted)


def test_a_detector_of_ones_own_crops_and_redacts(inference: InferenceClient, own_detector: None) -> None:
    image = Image.fromarray(np.full((600, 900, 3), 128, np.uint8))
    image.paste("#ff0000", (700, 400, 800, 500))
    key = next(key for key in _uploads_of(inference, image) if "objects" in inference.makers(key))
    plain = np.asarray(inference.image(key, "w=900&f=png"))
    assert tuple(plain[450, 750]) == (255, 0, 0)
    redacted = np.asarray(inference.image(key, "w=900&redact=red&f=png"))
    assert (redacted[396:504, 696:804] == 0).all()
    assert (redacted[10:380] == 128).all()
    crop = np.asarray(inference.image(key, "w=200&h=300&fit=cover&g=obj:red&f=png"))
    assert (crop == (255, 0, 0)).all(axis=2).sum() > 2000
    answer = inference.viewer.get(inference.signed(key, "f=json&boxes=1"))
    [found] = json.loads(answer.body)["boxes"]["objects"]
    assert (found["class"], found["box"]) == ("red", pytest.approx([0.778, 0.667, 0.111, 0.167], abs=0.01))
    assert inference.viewer.get(inference.signed(key, "w=900&redact=reds")).problem["code"] == "bad-option"


def _variation(number: int) -> bytes:
    """A photograph with a face, and bytes of no other upload."""
    out = io.BytesIO()
    image: Image.Image = photograph().rotate(number, resample=Image.Resampling.BICUBIC)
    image.resize((700 + number, 700 + number)).save(out, "JPEG", quality=90)
    return out.getvalue()


def test_without_the_endpoint_small_models_stand_in_until_it_is_back(inference: InferenceClient) -> None:
    """The endpoint is killed again after each restart, so that every upload meets a dead endpoint."""
    keys = [f"{PREFIX}orphan-{number}.jpg" for number in range(3)]
    asked = Counter[int]()

    def look(key: str) -> None:
        for query in ("w=320", "w=320&redact=faces", "w=320&redact=text"):
            url = f"/{key}?w=320" if query == "w=320" else inference.signed(key, query)
            answer = inference.viewer.get(url)
            asked[answer.status] += 1
            if answer.status >= 500:
                assert (answer.status, answer.problem["code"]) == (503, "findings-pending")
                assert "redact" in query
                assert int(answer.headers["retry-after"]) > 0

    def killed() -> bool:
        if pid := inference.endpoint["pid"]:
            os.kill(pid, signal.SIGKILL)
        for key in keys:
            if inference.findings_of(key)["state"] != "no-picture":
                look(key)
        return all(inference.makers(key).get("faces") == "fallback" for key in keys)

    os.kill(inference.endpoint["pid"], signal.SIGKILL)
    for number, key in enumerate(keys):
        inference.upload(key, _variation(number))
    wait_until(killed, "the small models have analysed all of them", HANG_S)
    for key in keys:
        findings = inference.findings_of(key)["findings"]
        assert findings["pending"] == ["text"]
        assert set(inference.makers(key).values()) == {"fallback"}
        assert inference.viewer.get(inference.signed(key, "w=320&redact=faces")).status == 200
        assert inference.viewer.get(inference.signed(key, "w=320&redact=text")).problem["code"] == "findings-pending"
    inference.ready()

    def again() -> bool:
        for key in keys:
            look(key)
        return all(set(inference.makers(key).values()) == {"endpoint"} for key in keys)

    wait_until(again, "the endpoint has analysed all of them", HANG_S)
    for key in keys:
        assert inference.findings_of(key)["findings"]["pending"] == []
        assert inference.viewer.get(inference.signed(key, "w=320&redact=text")).status == 200
    print(f"viewers saw {dict(asked)}")
    assert asked[200] > asked[503] > 0
