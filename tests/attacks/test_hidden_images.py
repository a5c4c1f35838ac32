"""Images hidden in frames, pages, alpha and gain maps: held by moderation, and covered by redaction.

Ingest and infer run as they are, over MiniStack and with the small models of the layer. What is planted is an image
that these models flag, or a face that they find.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image

from darkroom.errors import BadOption
from darkroom.findings import FACES, MODERATION, Findings
from darkroom.image_keys import HELD_MASTERS, MASTERS
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_analysis.inference.views import choose_views, combine
from darkroom_analysis.models.in_process import InProcessDetector
from darkroom_pipeline.aws.record import HELD, READY
from darkroom_pipeline.services.analysis_requests import parse_request
from darkroom_pipeline.services.ingest.events import read_event
from tests.component.aws import sagemaker
from tests.component.services import ingest_environment
from tests.component.services.inference.harness import InferEnvironment
from tests.images import hidden
from tests.images.detectors import models_folder, pixels, small_models
from tests.images.people import crop_portrait
from tests.images.rendering import made

pytestmark = [pytest.mark.slow, pytest.mark.never_skips]

TASKS = (FACES, MODERATION)
MOST = 12


class Stack:
    """Ingest and infer with the policy `block`, which analyses at most MOST images of one upload."""

    def __init__(self, aws: Callable[[str], Any], runtime: sagemaker.Runtime) -> None:
        self.uploads = ingest_environment.IngestEnvironment.build(aws)
        self.uploads.blocks = True
        self.models = InferEnvironment.build(aws, runtime)
        shared = {name: self.uploads.names[name] for name in ("media", "index", "bus", "changes", "published")}
        self.models.names = {**self.models.names, **shared}
        self.models.block, self.models.mode, self.models.tasks = True, "lambda", TASKS
        self.models.max_views = MOST
        self.models.finder = InProcessDetector(models_folder(), TASKS)

    def upload(self, key: str, body: bytes) -> None:
        """Ingest an upload, analyse it, and carry out the verdict."""
        self.uploads.created(key, body)
        for event in self.uploads.messages("published"):
            if request := parse_request(json.dumps(event)):
                self.models.infer.handle(request)
        for message in self.uploads.messages("changes"):
            if change := read_event(json.dumps(message)):
                self.uploads.handle(change)

    def master(self, key: str) -> bytes:
        return self.uploads.body("media", MASTERS.name(key))

    def is_held(self, key: str) -> bool:
        """Whether the key waits for an operator, and nothing of it is served."""
        record = self.uploads.record(key)
        names = set(self.models.keys(""))
        assert (MASTERS.name(key) in names) != (HELD_MASTERS.name(key) in names)
        if record.state == HELD:
            assert record.held.flagged is True
            assert HELD_MASTERS.name(key) in names
            assert not [name for name in names if name.startswith("derivatives/")]
            assert [one.key for one in self.uploads.index.list_flagged()] == [key]
            return True
        assert record.state == READY
        return False


@pytest.fixture
def stack(aws: Callable[[str], Any]) -> Iterator[Stack]:
    with sagemaker.serving() as runtime:
        yield Stack(aws, runtime)


def score(image: Image.Image) -> float:
    [label] = small_models().detect(pixels(image), [MODERATION])[MODERATION].labels
    return label.score


def test_what_is_planted_is_flagged_alone_and_the_rest_is_not() -> None:
    assert score(hidden.flagged_drawing()) > 0.95
    assert max(score(hidden.innocent(number)) for number in range(40)) < 0.2


@pytest.mark.parametrize("kind", [kind for kind in hidden.KINDS if kind != "gif-middle"])
def test_a_hidden_image_is_held(stack: Stack, kind: str) -> None:
    stack.upload("planted", hidden.KINDS[kind](hidden.flagged_drawing()))
    if kind in hidden.REMOVED:
        assert not stack.is_held("planted")
        assert getattr(Image.open(io.BytesIO(stack.master("planted"))), "n_frames", 1) == 1
        return
    assert stack.is_held("planted")


@pytest.mark.parametrize("kind", [kind for kind in hidden.KINDS if kind != "gif-middle"])
def test_the_same_with_an_innocent_image_is_served(stack: Stack, kind: str) -> None:
    stack.upload("innocent", hidden.KINDS[kind](hidden.innocent(99)))
    assert not stack.is_held("innocent")


def test_more_frames_than_are_analysed_wait_for_an_operator(stack: Stack) -> None:
    stack.upload("long", hidden.KINDS["gif-middle"](hidden.innocent(99)))
    assert stack.is_held("long")
    labels = {label.name for label in stack.models.noted("long").findings.found[MODERATION].labels}  # type: ignore[union-attr]
    assert "unsampled" in labels


FACE_KINDS = {**hidden.GREY_KINDS, **{kind: hidden.KINDS[kind] for kind in hidden.KINDS if "alpha" in kind}}
OUTPUTS: list[dict[str, Any]] = [
    {"format": "png"},
    {"format": "webp"},
    {"format": "jpeg"},
    {"format": "png", "background": "000000"},
    {"format": "png", "background": "ffffff"},
    {"format": "avif", "background": "808080"},
    {"format": "png", "width": 300, "upscale": True},
]


def composites(body: bytes) -> list[Image.Image]:
    """Return a derivative on white and on black, and its colours without alpha."""
    image = Image.open(io.BytesIO(body)).convert("RGBA")
    found = []
    for background in ("white", "black"):
        below = Image.new("RGBA", image.size, background)
        below.alpha_composite(image)
        found.append(below.convert("RGB"))
    return [*found, image.convert("RGB")]


def find_faces(images: list[Image.Image]) -> int:
    return sum(len(small_models().detect(pixels(image), [FACES])[FACES].faces) for image in images)


@pytest.mark.parametrize("kind", FACE_KINDS)
def test_a_face_hidden_in_alpha_is_covered(kind: str) -> None:
    body = FACE_KINDS[kind](crop_portrait()[0])
    assert find_faces(composites(body)) > 0, "the face is there to be found"
    views = choose_views(Source.from_bytes(body), Limits(), (FACES,))
    finder = InProcessDetector(models_folder(), (FACES,))
    first, *others = [
        finder.detect(jpeg, tasks) for jpeg, tasks in [(views.first[0], (FACES,)), *views.by_tasks((FACES,))]
    ]
    known = Findings("1", "etag", combine(first, others))
    for options in OUTPUTS:
        assert find_faces(composites(made(body, known=known, redact="faces", **options).body)) == 0, options


@pytest.mark.parametrize("kind", ["gif-last", "webp-frame", "tiff-page", "apng-frame", "avif-frame", "gain-map"])
@pytest.mark.parametrize("form", ["auto-webp", "webp", "gif", "jpeg", "png", "avif"])
def test_redaction_returns_no_frame_but_the_first(kind: str, form: str) -> None:
    body = hidden.KINDS[kind](crop_portrait()[0].resize(hidden.SIZE))
    known = Findings("1", "etag", small_models().detect(pixels(hidden.innocent()), [FACES]))
    redacted = made(body, known=known, redact="faces", format=form).body
    opened = Image.open(io.BytesIO(redacted))
    assert getattr(opened, "n_frames", 1) == 1
    assert find_faces([opened.convert("RGB")]) == 0
    assert b"hdrgm" not in redacted
    if kind != "gain-map":
        with pytest.raises(BadOption):
            made(body, known=known, redact="faces", format=form, page=3)
