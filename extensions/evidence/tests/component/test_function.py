"""The evidence function on MiniStack: who may read a report, what is in it, and what is recorded."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from darkroom.services.upload_requests import Grant
from darkroom.services.upload_requests import make_token as make_upload_token
from darkroom_pipeline.aws.audit import hash_key
from darkroom_pipeline.aws.vectors.s3_vectors import UNFILTERED
from evidence import measures
from tests.component.aws.s3vectors import INDEX_ARN, LIKENESS_ARN, VectorIndex, serving
from tests.component.aws.similar import direction, towards

from .images import build_exif, coffee, make_thumbnail, once, spliced, with_exif
from .world import KEY, World

IMAGE = "trips/rome.jpg"


def read_measures(response: dict[str, Any]) -> dict[str, Any]:
    return {one["measure"]: one for one in json.loads(response["body"])["measures"]}


def test_a_report_has_every_measure_with_rates_and_no_total(world: World) -> None:
    photograph = with_exif(spliced(), build_exif(make_thumbnail(coffee()), "SONY", "ILCE-6000"))
    stated = {"content_credentials": {"state": "invalid", "ai": False}}
    version_id = world.upload(IMAGE, photograph, provenance=stated)
    world.upload("trips/before.jpg", once())
    world.upload("other/before.jpg", once())
    for key, score in ((IMAGE, 1.0), ("trips/before.jpg", 0.95), ("other/before.jpg", 0.97)):
        world.embed(key, towards(direction(1), direction(2), score) if score < 1 else direction(1))
    response = world.request(IMAGE, world.token())
    assert response["statusCode"] == 200
    assert response["headers"]["cache-control"] == "no-store"
    report = json.loads(response["body"])
    assert report["total"] is None
    assert report["original"]["place"] == "uploads"
    assert (report["original"]["version_id"], report["original"]["matches_index"]) == (version_id, True)
    found = read_measures(response)
    assert list(found) == list(measures.MEASURES)
    assert {name: one["flagged"] for name, one in found.items()} == dict.fromkeys(measures.MEASURES, True)
    assert all(one["meaning"] and one["limits"] for one in found.values())
    [copy] = found[measures.COPIES]["value"]["copies"]
    assert (copy["key"], copy["comparison"]["flagged"]) == ("trips/before.jpg", True), "only what the token covers"
    assert "other/" not in response["body"]
    check_that_the_access_is_recorded(world, report)


def test_credentials_that_ingest_did_not_validate_are_no_answer(world: World) -> None:
    world.upload(IMAGE, once(), provenance={"content_credentials": {"embedded": True, "state": "unchecked"}})
    found = read_measures(world.request(IMAGE, world.token()))[measures.CREDENTIALS]
    assert (found["state"], found["flagged"]) == ("missing", None)


@pytest.mark.slow
def test_near_copies_are_searched_in_s3_vectors(aws: Callable[[str], Any], credentials: dict[str, str]) -> None:
    index = VectorIndex(len(direction(1)), UNFILTERED)
    with serving({INDEX_ARN: index}) as url:
        where = {"AWS_ENDPOINT_URL_S3VECTORS": url, "VECTOR_INDEX": INDEX_ARN, "LIKENESS_INDEX": LIKENESS_ARN}
        world = World.build(aws, credentials, SIMILARITY_STORE="s3vectors", **where)
        for key in (IMAGE, "trips/before.jpg", "trips/alone.jpg"):
            world.upload(key, once())
        world.embed(IMAGE, direction(1))
        world.embed("trips/before.jpg", towards(direction(1), direction(2), 0.95))
        [copy] = read_measures(world.request(IMAGE, world.token()))[measures.COPIES]["value"]["copies"]
        assert (copy["key"], copy["score"]) == ("trips/before.jpg", 0.95)
        alone = read_measures(world.request("trips/alone.jpg", world.token()))[measures.COPIES]
        assert (alone["state"], alone["flagged"]) == ("missing", None)


def check_that_the_access_is_recorded(world: World, report: dict[str, Any]) -> None:
    [record] = world.custody.read(IMAGE)
    assert (record.document["kind"], record.document["by"]) == ("read", "anna@example.com")
    assert report["custody"] == {"record": 1, "record_sha256": record.sha256}
    [entry] = world.read_audit()
    assert (entry["kind"], entry["subject"], entry["by"]) == ("access", hash_key(IMAGE), "anna@example.com")
    assert entry["facts"] == {"action": "read", "record": 1, "record_sha256": record.sha256}


@pytest.mark.slow
def test_the_page_is_static_html_with_all_images(world: World) -> None:
    world.upload(IMAGE, once(), facts={"name": "<script>"})
    form = world.request(IMAGE, accept="text/html,*/*")
    assert (form["statusCode"], "<form method=post>" in form["body"]) == (200, True)
    assert world.custody.read(IMAGE) == [], "the page that takes a token reads nothing"
    response = world.request(IMAGE, method="POST", body=f"token={world.token()}")
    assert response["statusCode"] == 200
    page = response["body"]
    assert "<script" not in page
    assert "default-src 'none'" in response["headers"]["content-security-policy"]
    assert len(re.findall("<section>", page)) == len(measures.MEASURES)
    assert world.request(IMAGE, world.token(), accept="text/html")["body"].startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        ("", 401, "bad-token"),
        ("forged", 401, "bad-token"),
        ("upload", 401, "bad-token"),
        ("expired", 401, "bad-token"),
        ("elsewhere", 403, "not-granted"),
    ],
)
def test_tokens_for_something_else_are_refused(world: World, token: str, status: int, code: str) -> None:
    world.upload(IMAGE, once())
    now_s = int(time.time())
    tokens = {
        "": "",
        "forged": world.token()[:-3] + "AAA",
        "upload": make_upload_token(Grant("trips/", now_s + 600), KEY),
        "expired": world.token(expires_s=now_s - 1),
        "elsewhere": world.token("other/"),
    }
    response = world.request(IMAGE, tokens[token])
    assert (response["statusCode"], response["headers"]["x-darkroom-error"]) == (status, code)
    assert world.custody.read(IMAGE) == []


def test_other_requests_are_refused(world: World) -> None:
    world.upload(IMAGE, once())
    assert world.request(IMAGE, world.token(), query="json")["statusCode"] == 400
    assert world.request(IMAGE, world.token(), method="PUT")["statusCode"] == 405
    assert world.request("trips/none.jpg", world.token())["headers"]["x-darkroom-error"] == "not-ingested"
    assert world.request("trips/_/x.jpg", world.token())["statusCode"] == 400
    assert world.request(IMAGE, method="POST", body="token=" + "x" * 5000)["statusCode"] == 401


def test_an_upload_that_expired_is_reported_as_missing(world: World) -> None:
    version_id = world.upload(IMAGE, once())
    world.aws("s3").delete_object(Bucket=world.names["uploads"], Key=IMAGE, VersionId=version_id)
    response = world.request(IMAGE, world.token())
    report, found = json.loads(response["body"]), read_measures(response)
    assert (report["original"]["place"], report["original"]["sha256"]) == ("expired", None)
    for name in set(measures.MEASURES) - {measures.CREDENTIALS}:
        assert found[name]["state"] == "missing"
        assert found[name]["flagged"] is None
        assert "gone" in found[name]["reason"] or name == measures.COPIES


@pytest.mark.slow
def test_bytes_that_are_not_those_of_ingest_are_reported(world: World) -> None:
    world.upload(IMAGE, once(), sha256="0" * 64)
    report = json.loads(world.request(IMAGE, world.token())["body"])
    assert report["original"]["matches_index"] is False


@pytest.mark.slow
def test_a_token_for_one_image_finds_no_copies(world: World) -> None:
    world.upload(IMAGE, once())
    found = read_measures(world.request(IMAGE, world.token(IMAGE)))
    assert found[measures.COPIES]["reason"] == "The token covers this image alone"


def test_a_report_that_cannot_be_recorded_is_not_returned(world: World) -> None:
    world.upload(IMAGE, once())
    world.aws("s3").delete_bucket(Bucket=world.names["audit"])
    response = world.request(IMAGE, world.token())
    assert response["statusCode"] == 503
    assert "measures" not in response["body"]
