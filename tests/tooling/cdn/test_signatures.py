"""Requests to origins with origin access control signatures, verified by MiniStack."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from botocore.credentials import Credentials
from multidict import CIMultiDict

from cloudfront_local.journal import Journal
from cloudfront_local.messages import Response
from cloudfront_local.model import Origin, OriginKind
from cloudfront_local.origins import MiniStackOrigins
from cloudfront_local.signed_paths import is_unambiguous
from darkroom.image_keys import encode_key
from tests.odd_keys import odd_keys
from tests.roles import create_function

CODE = """
def handler(event, context):
    return {"statusCode": 200, "headers": {"x-path": event["rawPath"]}, "body": "rendered"}
"""

type Ask = Callable[..., Response]


@pytest.fixture(scope="module")
def function(aws: Callable[[str], Any]) -> Origin:
    """Create a Function URL with IAM, as an origin."""
    name = create_function(aws, CODE)
    url = aws("lambda").create_function_url_config(FunctionName=name, AuthType="AWS_IAM")["FunctionUrl"]
    return Origin("transform", url.split("//")[1].rstrip("/"), kind=OriginKind.FUNCTION_URL)


@pytest.fixture(scope="module")
def bucket(aws: Callable[[str], Any]) -> Origin:
    """Create a bucket with its own host, as an origin."""
    name = f"signed-{uuid4().hex[:8]}"
    aws("s3").create_bucket(Bucket=name)
    aws("s3").put_object(Bucket=name, Key="derivatives/a b/\u00e9~(1).jpg", Body=b"stored")
    return Origin("derivatives", f"{name}.s3.us-east-1.amazonaws.com", "/derivatives", OriginKind.S3)


@pytest.fixture
def reports() -> list[str]:
    return []


@pytest.fixture
def ask(ministack_url: str, reports: list[str]) -> Ask:
    def run(origin: Origin, target: str, secret: str = "test", key: str = "test", **headers: str) -> Response:
        async def once() -> Response:
            async with aiohttp.ClientSession(auto_decompress=False) as session:
                credentials, journal = Credentials(key, secret), Journal()
                origins = MiniStackOrigins(session, ministack_url, "us-east-1", credentials, journal, reports.append)
                return await origins.send(origin, "GET", target, CIMultiDict(headers), "id")

        return asyncio.run(once())

    return run


def unsigned(origin: Origin) -> Origin:
    """Return the origin without origin access control."""
    return Origin(origin.id, origin.domain, origin.path, OriginKind.PLAIN)


def test_a_signed_request_reaches_the_function(function: Origin, ask: Ask, reports: list[str]) -> None:
    answer = ask(function, "/trips/rome_1.jpg/_/w-320.auto-webp~")
    assert (answer.status, answer.body) == (200, b"rendered")
    assert answer.headers["x-path"] == "/trips/rome_1.jpg/_/w-320.auto-webp~"
    assert reports == []


@pytest.mark.parametrize(
    "path",
    [
        "/caf%C3%A9.jpg",
        "/a%20b.jpg",
        "/a+b.jpg",
        "/a@b.jpg",
        "/a(1).jpg",
        "/a=1.jpg",
        "/a%7Eb.jpg",
        "/a//b.jpg",
        "/a/./b",
    ],
)
def test_the_function_rejects_ambiguous_paths(function: Origin, ask: Ask, reports: list[str], path: str) -> None:
    answer = ask(function, path)
    assert answer.status == 403
    assert b"The request signature we calculated does not match" in answer.body
    assert reports == [
        f"origin transform refused GET {path}: "
        "InvalidSignatureException: CloudFront and Lambda canonicalise the path differently"
    ]


def test_the_function_rejects_a_wrong_or_missing_signature(function: Origin, ask: Ask, reports: list[str]) -> None:
    assert ask(function, "/a.jpg", secret="wrong").status == 403
    assert ask(function, "/a.jpg", key="unknown").status == 403
    assert reports == 2 * ["origin transform refused GET /a.jpg: InvalidSignatureException"]
    answer = ask(unsigned(function), "/a.jpg")
    assert (answer.status, answer.body) == (403, b'{"Message": "Forbidden"}')


def test_a_signature_for_another_service_is_rejected(function: Origin, ask: Ask) -> None:
    assert ask(Origin(function.id, function.domain, kind=OriginKind.S3), "/a.jpg").status == 403


def test_s3_accepts_a_signed_request_for_any_name(bucket: Origin, ask: Ask) -> None:
    answer = ask(bucket, "/a%20b/%C3%A9~%281%29.jpg")
    assert (answer.status, answer.body) == (200, b"stored")


def test_s3_rejects_a_wrong_or_missing_signature(bucket: Origin, ask: Ask) -> None:
    for answer in (ask(bucket, "/a.jpg", secret="wrong"), ask(unsigned(bucket), "/a.jpg")):
        assert answer.status == 403
    assert b"SignatureDoesNotMatch" in ask(bucket, "/a.jpg", secret="wrong").body
    assert b"AccessDenied" in ask(unsigned(bucket), "/a.jpg").body


def test_canonical_paths_of_odd_keys_are_unambiguous() -> None:
    paths = [f"/{encode_key(key)}/_/w-320.auto-webp" for key in odd_keys()]
    assert [path for path in paths if not is_unambiguous(path)] == []


@pytest.mark.parametrize("path", ["/", "/a", "/a/", "/a.jpg/_/w-1.webp", "/.a", "/..a/b~"])
def test_unreserved_characters_are_unambiguous(path: str) -> None:
    assert is_unambiguous(path)


@pytest.mark.parametrize(
    "path", ["", "a", "//", "/a//b", "/.", "/a/..", "/../a", "/%41", "/a*", "/\u00e9", "/a b", "/a,b"]
)
def test_other_paths_are_ambiguous(path: str) -> None:
    assert not is_unambiguous(path)
