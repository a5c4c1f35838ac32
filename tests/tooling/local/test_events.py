"""The events are up to date, and each gets the response that its name indicates."""

from __future__ import annotations

import json

import pytest
from obstore.store import MemoryStore

from darkroom.aws.s3_fast import FastBucket
from darkroom.http.response import EdgeRequest, to_response
from darkroom.plan.limits import Limits
from darkroom.services.serve.answers import TransformRequest
from darkroom.services.serve.transform import Transform
from darkroom_dialects.serving.handler import respond
from darkroom_dialects.serving.signing_keys import parse_keys
from extensions import list_extensions
from local.dialect_keys import DOCUMENT
from local.events import FOLDER, LOCAL_KEY
from local.events.all import EVENTS
from local.events.transform import events
from tests.component.services.dialects.serving import served
from tests.images.photographs import jpeg_photo

STATUS = {
    "miss.json": 200,
    "hit.json": 200,
    "signed.json": 200,
    "forged.json": 403,
    "bad-option.json": 400,
    "not-modified.json": 304,
    "no-source.json": 404,
    "redacted.json": 501,
}
IN_LANGUAGES = {
    "thumbor.json": (200, "image/webp"),
    "iiif.json": (200, 'application/ld+json;profile="http://iiif.io/api/image/3/context.json"'),
}


class Keys:
    def get(self, *, refresh: bool = False) -> tuple[str, ...]:
        return (LOCAL_KEY,)


def test_the_files_are_current() -> None:
    places = (FOLDER, *(one.folder / "events" for one in list_extensions()))
    files = {path: json.loads(path.read_text()) for place in places for path in place.glob("*/*.json")}
    assert files == {folder / name: event for folder, made in EVENTS.items() for name, event in made().items()}


@pytest.mark.parametrize("name", STATUS)
def test_an_event_gets_the_answer_of_its_name(name: str) -> None:
    event = json.loads((FOLDER / "transform" / name).read_text())
    headers = event["headers"]
    bucket = FastBucket(MemoryStore())
    bucket.put("masters/samples/coffee.png", jpeg_photo(), {})
    service = Transform(source=bucket, media=bucket, keys=Keys(), limits=Limits())
    request = TransformRequest(
        path=event["rawPath"],
        request_path=headers["x-darkroom-request"],
        signature=headers.get("x-darkroom-signature", ""),
        if_none_match=headers.get("if-none-match", ""),
    )
    assert (
        to_response(service.answer(request), method="GET", viewer_url=headers["x-darkroom-url"])["statusCode"]
        == STATUS[name]
    )


def test_a_bad_option_is_named_with_its_range() -> None:
    event = events()["bad-option.json"]
    service = Transform(source=FastBucket(MemoryStore()), media=FastBucket(MemoryStore()), keys=Keys())
    answer = service.answer(TransformRequest(path=str(event["rawPath"])))
    problem = json.loads(str(to_response(answer, method="GET", viewer_url="/")["body"]))
    assert (problem["code"], problem["option"]) == ("bad-option", "w")
    assert problem["detail"] == "w must be a whole number from 1 to 8192, but is '0'"


def test_every_event_has_an_answer_here() -> None:
    assert {*STATUS, *IN_LANGUAGES} == set(events())


@pytest.mark.parametrize("name", IN_LANGUAGES)
def test_an_event_in_a_dialect_gets_its_image_or_description(name: str) -> None:
    headers = json.loads((FOLDER / "transform" / name).read_text())["headers"]
    bucket = FastBucket(MemoryStore())
    bucket.put("masters/samples/coffee.png", jpeg_photo(), {})
    there = served(bucket)
    there.document.current = parse_keys(DOCUMENT)
    response, error = respond(there.dialects, EdgeRequest("", "GET", headers))
    assert error is None
    assert (response["statusCode"], response["headers"]["content-type"]) == IN_LANGUAGES[name]
