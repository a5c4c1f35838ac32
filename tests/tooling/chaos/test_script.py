"""Tests of the script and its images: equal for equal seeds, and valid or refused as declared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest

from chaos.expected_state import ExpectedEnd, compute_expected
from chaos.image_oracle import digest_image, expected_master, is_like
from chaos.images import MAX_PIXELS, Content, ImageFactory
from chaos.script import Action, Operation, hot_keys, write_script
from darkroom.errors import DarkroomError
from darkroom.image_keys import check_key
from darkroom.imaging.formats.probe import probe, sniff
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_pipeline.imaging.render_many import decode_once


@cache
def script() -> list[Action]:
    return write_script(11, 120)


def code(key: str, data: bytes) -> str:
    """Return the code with which ingest refuses ``data``; empty if it does not."""
    limits = Limits(max_pixels=MAX_PIXELS)
    try:
        check_key(key)
        sniff(data)
        probe(Source.from_bytes(data), limits)
        decode_once(Source.from_bytes(data), [], limits=limits)
    except DarkroomError as error:
        return error.code
    return ""


@pytest.mark.slow
def test_a_seed_is_a_script() -> None:
    assert write_script(11, 120) == script()
    assert write_script(12, 120) != script()


@pytest.mark.sample(6)
@pytest.mark.parametrize("uploads", [1, 7, 120])
def test_a_script_has_the_requested_number_of_uploads(uploads: int) -> None:
    assert Counter(action.operation for action in write_script(11, uploads))[Operation.PUT] == uploads


@pytest.mark.slow
def test_everything_happens() -> None:
    script = write_script(11, 500)
    deeds = Counter(action.operation for action in script)
    assert deeds[Operation.DELETE] >= 10
    assert deeds[Operation.DELETE_OLD] >= 3
    codes = {action.content.code for action in script if action.content}
    assert codes == {"", "damaged", "type-not-allowed", "over-limits", "bad-key"}
    puts = Counter(action.key for action in script if action.operation is Operation.PUT)
    assert max(puts.values()) >= 8
    contents = Counter(action.content.data for action in script if action.content)
    assert max(contents.values()) >= 5
    ends = Counter(expected.end for expected in compute_expected(script).values())
    assert min(ends[end] for end in ExpectedEnd) >= 10
    assert hot_keys(11, script)[0] in {key for key, count in puts.items() if count >= 8}


def _contents() -> Iterator[tuple[str, Content]]:
    yield from ((action.key, action.content) for action in script() if action.content)
    images = ImageFactory(11)
    yield from (("photo.jpg", images.other(number)) for number in range(12))
    yield from (("photo.jpg", images.damaged(number)) for number in range(40))


@pytest.mark.slow
def test_exactly_the_declared_files_are_refused() -> None:
    wrong = [(key, content.name) for key, content in _contents() if code(key, content.data) != content.code]
    assert wrong == []


@pytest.mark.slow
def test_images_of_different_colours_cannot_be_mistaken() -> None:
    images = ImageFactory(11)
    seen = [digest_image(expected_master(images.photograph(number).data)) for number in range(27)]
    for number, one in enumerate(seen):
        assert one is not None
        assert [other for other in seen if other is not None and is_like(one, other)] == [one], number


def test_a_truncated_image_is_refused() -> None:
    data = ImageFactory(11).photograph(3).data
    assert digest_image(data) is not None
    assert digest_image(data[: len(data) // 2]) is None


GOOD, BETTER, BAD = Content("a", b"a"), Content("b", b"b"), Content("c", b"c", "damaged")
DELETE = Action(Operation.DELETE, "k")


def put(content: Content) -> Action:
    return Action(Operation.PUT, "k", content)


@pytest.mark.parametrize(
    ("actions", "end", "masters"),
    [
        ([put(GOOD)], ExpectedEnd.READY, (GOOD,)),
        ([put(GOOD), put(BETTER)], ExpectedEnd.READY, (BETTER,)),
        ([put(GOOD), put(BETTER), put(GOOD)], ExpectedEnd.READY, (GOOD,)),
        ([put(BAD)], ExpectedEnd.REFUSED, ()),
        ([put(GOOD), put(BAD)], ExpectedEnd.REFUSED, (GOOD,)),
        ([put(GOOD), DELETE, put(BAD)], ExpectedEnd.REFUSED, ()),
        ([put(BAD), put(GOOD)], ExpectedEnd.READY, (GOOD,)),
        ([put(GOOD), DELETE], ExpectedEnd.REMOVED, ()),
        ([put(GOOD), DELETE, put(BETTER)], ExpectedEnd.READY, (BETTER,)),
        ([put(GOOD), put(BETTER), Action(Operation.DELETE_OLD, "k")], ExpectedEnd.READY, (BETTER,)),
    ],
)
def test_how_a_key_must_end(actions: list[Action], end: ExpectedEnd, masters: tuple[Content, ...]) -> None:
    expected = compute_expected(actions)["k"]
    assert (expected.end, expected.masters) == (end, masters)
