"""The script and its pictures: the same for the same seed, and what they claim to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from chaos.expected_state import ExpectedEnd, compute_expected
from chaos.image_oracle import digest_image, expected_master
from chaos.pictures import MAX_PIXELS, Content, ImageFactory
from chaos.script import Action, Operation, hot_keys, write_script
from darkroom.errors import DarkroomError
from darkroom.image_keys import check_key
from darkroom.imaging.formats.probe import probe, sniff
from darkroom.imaging.render.render_many import decode_once
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits

SCRIPT = write_script(11, 120)


def code(key: str, data: bytes) -> str:
    """Why ingest would refuse ``data``; empty if it would not."""
    limits = Limits(max_pixels=MAX_PIXELS)
    try:
        check_key(key)
        sniff(data)
        probe(Source.from_bytes(data), limits)
        decode_once(Source.from_bytes(data), [], limits=limits)
    except DarkroomError as error:
        return error.code
    return ""


def test_a_seed_is_a_script() -> None:
    assert write_script(11, 120) == SCRIPT
    assert write_script(12, 120) != SCRIPT


@pytest.mark.parametrize("uploads", [1, 7, 120])
def test_a_script_has_as_many_uploads_as_asked(uploads: int) -> None:
    assert Counter(act.deed for act in write_script(11, uploads))[Operation.PUT] == uploads


@pytest.mark.slow
def test_everything_happens() -> None:
    script = write_script(11, 500)
    deeds = Counter(act.deed for act in script)
    assert deeds[Operation.DELETE] >= 10
    assert deeds[Operation.DELETE_OLD] >= 3
    codes = {act.content.code for act in script if act.content}
    assert codes == {"", "damaged", "type-not-allowed", "over-limits", "bad-key"}
    puts = Counter(act.key for act in script if act.deed is Operation.PUT)
    assert max(puts.values()) >= 8
    contents = Counter(act.content.data for act in script if act.content)
    assert max(contents.values()) >= 5
    ends = Counter(expected.end for expected in compute_expected(script).values())
    assert min(ends[end] for end in ExpectedEnd) >= 10
    assert hot_keys(11, script)[0] in {key for key, count in puts.items() if count >= 8}


def _contents() -> Iterator[tuple[str, Content]]:
    yield from ((act.key, act.content) for act in SCRIPT if act.content)
    studio = ImageFactory(11)
    yield from (("photo.jpg", studio.other(number)) for number in range(12))
    yield from (("photo.jpg", studio.damaged(number)) for number in range(40))


def test_what_is_said_to_be_refused_is_and_nothing_else() -> None:
    wrong = [(key, content.name) for key, content in _contents() if code(key, content.data) != content.code]
    assert wrong == []


def test_pictures_of_different_colours_cannot_be_mistaken() -> None:
    studio = ImageFactory(11)
    seen = [digest_image(expected_master(studio.photograph(number).data)) for number in range(27)]
    for number, one in enumerate(seen):
        assert one is not None
        assert [other for other in seen if other is not None and one.like(other)] == [one], number


def test_a_picture_cut_off_is_not_taken_for_one() -> None:
    data = ImageFactory(11).photograph(3).data
    assert digest_image(data) is not None
    assert digest_image(data[: len(data) // 2]) is None


GOOD, BETTER, BAD = Content("a", b"a"), Content("b", b"b"), Content("c", b"c", "damaged")
DELETE = Action(Operation.DELETE, "k")


def put(content: Content) -> Action:
    return Action(Operation.PUT, "k", content)


@pytest.mark.parametrize(
    ("acts", "end", "masters"),
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
def test_how_a_key_must_end(acts: list[Action], end: ExpectedEnd, masters: tuple[Content, ...]) -> None:
    expected = compute_expected(acts)["k"]
    assert (expected.end, expected.masters) == (end, masters)
