"""Images over 4.5 MB where the CDN always requests the function: a redirect to a copy, by the function as deployed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from darkroom.http.response import TOO_LARGE_STATUS
from darkroom.image_keys import encode_key, large_wildcard
from darkroom.services.serve.answers import MAX_BODY_BYTES
from tests.component.aws.observed_process import LAMBDA, Document, watch
from tests.images.photographs import jpeg_photo, png_noise

BUCKET = "large-copies"
URL, PATH = "/noise.png?w=1920&f=png", "/noise.png/_/w-1920.png"

WORK = """
import json, sys
sys.path.insert(0, "functions/transform")
import app

class Context:
    aws_request_id = "8f5"

def ask(path, method="GET", **headers):
    http = {"method": method}
    sent = {"x-darkroom-" + name: value for name, value in headers.items()}
    answer = app.handler({"rawPath": path, "headers": sent, "requestContext": {"http": http}}, Context)
    return {name: answer[name] for name in ("statusCode", "headers")}

print(json.dumps({"asked": ASKED}))
"""


def ask(aws_environment: dict[str, str], asked: str, **environment: str) -> list[Document]:
    """What the function returns to the requests ``asked``, a list in Python."""
    deployed = {
        "POWERTOOLS_SERVICE_NAME": "transform",
        "MEDIA_BUCKET": BUCKET,
        "SIGNING_KEYS_ARN": str(aws_environment["KEYS"]),
        "VIPS_WARNING": "0",
    }
    own = {name: value for name, value in aws_environment.items() if name != "KEYS"}
    found = watch(WORK.replace("ASKED", asked), LAMBDA | own | deployed | environment)
    return next(document["asked"] for document in found.documents if "asked" in document)


@pytest.fixture(scope="module")
def environment(aws: Callable[[str], Any], aws_environment: dict[str, str]) -> dict[str, str]:
    s3 = aws("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="masters/noise.png", Body=png_noise(1920, 1500))
    s3.put_object(Bucket=BUCKET, Key="masters/photo.jpg", Body=jpeg_photo())
    secret = json.dumps({"current": "k" * 43, "previous": "p" * 43})
    keys = aws("secretsmanager").create_secret(Name="large-copies", SecretString=secret)["ARN"]
    return {**aws_environment, "KEYS": keys}


@pytest.mark.slow
def test_a_large_image_is_fetched_by_the_path_of_its_copy(
    environment: dict[str, str], aws: Callable[[str], Any]
) -> None:
    asked = f"[ask({PATH!r}, url={URL!r}), ask({PATH!r}, url={URL!r}), ask({PATH!r}, 'HEAD', url={URL!r})]"
    first, second, head = ask(environment, asked, HAS_LARGE_COPIES="on")
    location = first["headers"]["location"]
    assert (first["statusCode"], first["headers"]["cache-control"]) == (302, "no-store")
    assert location.startswith("/_large/noise.png/_/")
    assert location.endswith(".large")
    assert second["headers"]["location"] == location, "the stored derivative has the same copy"
    assert head["statusCode"] == 200
    copy = aws("s3").get_object(Bucket=BUCKET, Key="derivatives" + location.removeprefix("/_large"))
    stored = aws("s3").get_object(Bucket=BUCKET, Key=f"derivatives{PATH}")
    assert copy["Body"].read() == stored["Body"].read()
    assert copy["ContentLength"] > MAX_BODY_BYTES
    assert copy["CacheControl"] == "public, max-age=86400, s-maxage=86400"
    assert copy["ContentType"] == "image/png"


@pytest.mark.slow
def test_with_failover_it_is_requested_again_from_the_store(environment: dict[str, str]) -> None:
    [found] = ask(environment, f"[ask({PATH!r}, url={URL!r})]")
    assert (found["statusCode"], found["headers"]["location"]) == (302, URL)


@pytest.mark.slow
def test_where_the_function_is_asked_first_the_store_is_next(environment: dict[str, str]) -> None:
    [found] = ask(environment, f"[ask({PATH!r}, url={URL!r}, first='1')]")
    assert (found["statusCode"], found["headers"]["cache-control"]) == (TOO_LARGE_STATUS, "no-store")
    assert "location" not in found["headers"]


def test_without_dialects_their_header_is_the_viewers_and_ignored(environment: dict[str, str]) -> None:
    """A managed origin request policy forwards every header: a viewer's must not decide what is cached for a path."""
    asked = "[ask('/photo.jpg/_/w-320.webp', language='iiif', url='/iiif/3/photo.jpg/full/max/0/default.jpg')]"
    [found] = ask(environment, asked, HAS_LARGE_COPIES="on")
    assert (found["statusCode"], found["headers"]["content-type"]) == (200, "image/webp")


@pytest.mark.parametrize("key", ["photo.jpg", "a b/ü~.png"])
def test_a_purge_reaches_copies(key: str) -> None:
    assert large_wildcard(key) == f"/_large/{encode_key(key)}/_/*"
