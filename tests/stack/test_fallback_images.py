"""Fallback images on the running stack: from the settings document to the responses of the CDN."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image

from cli.main import main
from cli.settings.stacks import open_local_target
from darkroom.image_keys import MASTERS
from tests.images.photographs import jpeg_photo
from tests.waiting import wait_until

from .conftest import Stack
from .viewer import Answer, Viewer

pytestmark = pytest.mark.smoke


@pytest.fixture
def fallback(stack: Stack, viewer: Viewer, tmp_path: Path) -> Iterator[str]:
    """The path of the fallback image of its own folder; the settings are as before when the test has ended."""
    path = viewer.upload(jpeg_photo(), "neutral.jpg")
    prefix = unquote(path.removeprefix("/")).rpartition("/")[0] + "/"
    documents = open_local_target(json.loads((stack.state / "stack.json").read_text())).documents
    before = documents.current()
    state, file = ["--state-dir", str(stack.state)], tmp_path / "settings.json"
    missing = {"fallback_images": {prefix: "no/such.jpg"}}
    file.write_text(json.dumps({**before.table, **missing}))
    assert main(["settings", "apply", str(file), "--by", "test", *state]) == 2
    found = {"fallback_images": {prefix: unquote(path.removeprefix("/"))}}
    file.write_text(json.dumps({**before.table, **found}))
    assert main(["settings", "apply", str(file), "--by", "test", *state]) == 0
    yield path
    assert main(["settings", "rollback", str(before.number), "--yes", *state]) == 0


def size(answer: Answer) -> tuple[int, int]:
    return Image.open(io.BytesIO(answer.body)).size


def replace_damaged(viewer: Viewer, path: str) -> Answer | None:
    """Return the answer for a damaged image once it is an image: the CDN keeps no 422."""
    answer = viewer.get(f"{path}?w=320")
    return answer if answer.headers["content-type"] != "application/problem+json" else None


@pytest.fixture
def damaged(stack: Stack, fallback: str) -> Iterator[str]:
    """The path of a damaged image beside the fallback image; other tests open every image that there is."""
    path = fallback.replace("neutral", "damaged")
    place = {"Bucket": stack.media_bucket, "Key": MASTERS.name(unquote(path.removeprefix("/")))}
    stack.cloud.s3.put_object(**place, Body=jpeg_photo()[:-4000])
    yield path
    stack.cloud.s3.delete_object(**place)


@pytest.mark.slow
def test_a_missing_image_is_replaced_behind_the_cdn(viewer: Viewer, fallback: str, damaged: str) -> None:
    folder = fallback.rpartition("/")[0]
    numbers = iter(range(1000))

    def replace_missing() -> tuple[str, Answer] | None:
        """A new key each time: the CDN keeps an earlier 404 for a minute, and each instance its own settings."""
        path = f"{folder}/gone-{next(numbers)}.jpg"
        answer = viewer.get(f"{path}?w=480", accept="image/webp", sec_fetch_dest="image")
        return (path, answer) if answer.headers["content-type"] != "application/problem+json" else None

    found = wait_until(replace_missing, "a function knows the settings")
    assert found is not None
    path, answer = found
    url = f"{path}?w=480"
    assert (answer.status, answer.headers["x-darkroom-error"], size(answer)) == (404, "no-source", (480, 320))
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert "etag" not in answer.headers
    assert "X-Darkroom-Error" in answer.headers.get("access-control-expose-headers", "X-Darkroom-Error")
    before = viewer.invocations()
    again = viewer.get(url, accept="image/webp")
    assert (again.status, again.body, viewer.invocations()) == (404, answer.body, before), "from the CDN"
    assert viewer.head(url, accept="image/webp").body == b""
    assert viewer.derivatives(path) == []
    assert "w-480.auto-webp" in viewer.derivatives(fallback)
    damaged_answer = wait_until(lambda: replace_damaged(viewer, damaged), "a function knows the settings")
    assert damaged_answer is not None
    assert (damaged_answer.status, size(damaged_answer)) == (422, (320, 213))
    refused = viewer.get(f"{path}?w=481")
    assert (refused.status, refused.problem["code"], refused.headers["x-darkroom-error"]) == (403, *["unsigned"] * 2)
    assert viewer.get(f"{path}?f=json").problem["code"] == "no-source"
