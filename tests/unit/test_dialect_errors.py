"""Dialect URLs raise request errors only, in parsers, geometry and JSON of their plans."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from random import Random

import pytest

from darkroom.errors import BadOption, DarkroomError
from darkroom.plan.canonical import canonical_path, parse_path
from darkroom.plan.forced_options import NOTHING_FORCED
from darkroom.plan.geometry.layout import compute_geometry
from darkroom.plan.geometry.placement import Size
from darkroom_dialects import dit, thumbor
from darkroom_dialects.parsers import load_parser
from darkroom_dialects.registry import DIALECTS_BY_NAME
from darkroom_dialects.serving.service import choose_variant
from tests.unsigned_urls import DIALECTS, Sent, unsigned_urls

from .test_unsigned_storage import KEYS, SETTINGS, request_of

MAX_PIXELS = 67_000_000
CHARACTERS = "[]{}(),:;/=&%.-+|!_ \0é\u202809afe"
WORDS = ("0", "-1", "1e9", "nan", "inf", "99999999999", "[", "a[b", "0x1", "1x0", "0.0001", "8192", "none", "repeat")


def mutated(random: Random, target: str) -> str:
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        at = random.randrange(1, len(target))
        middle = random.choice((random.choice(CHARACTERS), random.choice(WORDS), "", target[at : at + 8] * 2))
        target = target[:at] + middle + target[at + random.choice((0, 0, 1, 8)) :]
    return target


def plan_and_describe(random: Random, sent: Sent) -> None:
    """Run the service's steps but the render for ``sent``, for a source of a random size."""
    dialect = DIALECTS_BY_NAME[sent.dialect]
    asked = load_parser(dialect).parse(dialect.parser_input(sent.target), replace(SETTINGS, detects_faces=True))
    plan = choose_variant(asked, request_of(sent), NOTHING_FORCED)
    assert parse_path(canonical_path(plan)) == plan
    width, height = (random.choice((1, 2, 3, 100, 640, 4000, 30_000)) for _ in range(2))
    orientation = random.choice((1, 3, 6))
    geometry = compute_geometry(plan, Size(width, height), orientation, max_pixels=MAX_PIXELS)
    assert min(geometry.size) >= 1
    if asked.document is not None:
        description = {"width": width, "height": height, "frames": 2, "orientation": orientation, "format": "jpeg"}
        asked.document(description | {"bytes": 5, "colour": {"alpha": False}, "thumbhash": ""})


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name not in ("native", "iiif")])
def test_mutated_urls_are_served_or_refused(dialect: str) -> None:
    random, served = Random(dialect), 0
    for sent in unsigned_urls(11, 400 * len(DIALECTS), KEYS):
        if sent.dialect == dialect:
            target = mutated(random, sent.target)
            try:
                plan_and_describe(random, replace(sent, target=target))
            except DarkroomError:
                continue
            except Exception as error:
                raise AssertionError(target) from error
            served += 1
    assert served > 25, "some mutations are served"


@pytest.mark.parametrize("value", ["a[b", "[", "[a[b", "1,[2,[3", "[[1]]"])
@pytest.mark.parametrize("name", ["blur", "resize.width", "flatten", "quality", "extract"])
def test_lists_of_dit_8_do_not_nest(name: str, value: str) -> None:
    with pytest.raises(BadOption):
        dit.parse(f"/a.jpg?{name}={value}", SETTINGS)


def test_the_quality_of_a_path_is_no_edit_of_a_request() -> None:
    document = b64encode(b'{"key": "a.jpg", "edits": {" quality": "x"}}').decode()
    assert dit.parse(f"/{document}", SETTINGS).plan.quality is None


def test_a_side_of_a_thumbor_document_is_at_least_a_pixel() -> None:
    document = thumbor.parse("/unsafe/meta/fit-in/0x1/a.jpg", SETTINGS).document
    assert document is not None
    found = document({"width": 1, "height": 1000, "frames": 1, "orientation": 1})["thumbor"]
    assert found["source"] == {"url": "a.jpg", "width": 1, "height": 1, "frameCount": 1}
