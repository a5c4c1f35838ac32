"""Every function has sample events, and each gets the response that its name indicates."""

from __future__ import annotations

import json
from pathlib import Path

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
from local.events import LOCAL_KEY, read_events
from local.paths import ROOT
from tests.component.services.dialects.serving import served
from tests.fixed_keys import FixedKeys
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


@pytest.mark.parametrize("place", [ROOT, *(one.folder for one in list_extensions())], ids=lambda place: place.name)
def test_every_function_has_sample_events(place: Path) -> None:
    functions = {path.parent.name for path in place.glob("functions/*/app.py")}
    assert {path.parent.name for path in place.glob("events/*/*.json")} == functions
    assert all(event for name in functions for event in read_events(name, place / "events").values())


@pytest.mark.parametrize("name", STATUS)
def test_an_event_gets_the_answer_of_its_name(name: str) -> None:
    event = read_events("transform")[name]
    headers = event["headers"]
    bucket = FastBucket(MemoryStore())
    bucket.put("masters/samples/coffee.png", jpeg_photo(), {})
    service = Transform(source=bucket, media=bucket, keys=FixedKeys((LOCAL_KEY,)), limits=Limits())
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
    event = read_events("transform")["bad-option.json"]
    service = Transform(source=FastBucket(MemoryStore()), media=FastBucket(MemoryStore()), keys=FixedKeys((LOCAL_KEY,)))
    answer = service.answer(TransformRequest(path=event["rawPath"]))
    problem = json.loads(str(to_response(answer, method="GET", viewer_url="/")["body"]))
    assert (problem["code"], problem["option"]) == ("bad-option", "w")
    assert problem["detail"] == "w must be a whole number from 1 to 8192, but is '0'"


def test_every_event_has_an_answer_here() -> None:
    assert {*STATUS, *IN_LANGUAGES} == set(read_events("transform"))


@pytest.mark.parametrize("name", IN_LANGUAGES)
def test_an_event_in_a_dialect_gets_its_image_or_description(name: str) -> None:
    headers = read_events("transform")[name]["headers"]
    bucket = FastBucket(MemoryStore())
    bucket.put("masters/samples/coffee.png", jpeg_photo(), {})
    there = served(bucket)
    there.document.current = parse_keys(DOCUMENT)
    response, error = respond(there.dialects, EdgeRequest("", "GET", headers))
    assert error is None
    assert (response["statusCode"], response["headers"]["content-type"]) == IN_LANGUAGES[name]
