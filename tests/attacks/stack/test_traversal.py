"""Path traversal: no spelling of a path reaches an object that is not a derivative of the named key, or a file.

Secrets are valid JPEG files, so that a path that reaches one could be rendered. The table is the product of spellings,
targets and dialects.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from tests.images.photographs import jpeg_photo
from tests.stack.conftest import Stack
from tests.stack.viewer import Answer

from .conftest import Attacker

UPWARDS = (
    "../",
    "..%2f",
    "..%2F",
    "%2e%2e/",
    "%2e%2e%2f",
    ".%2e/",
    "%252e%252e%252f",
    "..%252f",
    "..%5c",
    "..\\",
    "%c0%ae%c0%ae/",
    "%uff0e%uff0e/",
    "..;/",
    "....//",
    "./../",
    "/../",
    "%00../",
    "..%00/",
)
"""Spellings of one step upwards, as scanners try them."""

SECRETS = ("held/secret.jpg", "watermarks/secret.jpg", "findings/1/secret.jpg", "derivatives/other.jpg/_/w-801.jpeg")
"""Objects of the media bucket beside the masters."""

FILES = ("etc/passwd", "proc/self/environ")
"""Files of the function's file system."""

DIALECTS = (
    "/{path}",
    "/{path}?w=320",
    "/_large/{path}",
    "/imgproxy/insecure/w:320/plain/{path}",
    "/imgproxy/insecure/w:320/plain/local:///{path}",
    "/thumbor/unsafe/320x0/{path}",
    "/dit/{path}?width=320",
    "/cdn-cgi/image/width=320/{path}",
    "/imgix/{path}?w=320&fit=max",
    "/cloudinary/demo/image/upload/c_limit,w_320/f_auto/v1/{path}",
    "/iiif/3/{path}/full/max/0/default.jpg",
    "/iiif/3/{path}/info.json",
)
"""The ways to name a key."""


def cases() -> Iterator[tuple[str, str]]:
    """Yield each target with the secret that it names."""
    for dialect, upwards in product(DIALECTS, UPWARDS):
        for number, secret in enumerate((*SECRETS, *FILES)):
            depth = 1 + number % 3
            yield dialect.format(path=upwards * depth + secret), secret
            yield dialect.format(path="a/" + upwards * (depth + 1) + secret), secret


@pytest.fixture(scope="module")
def planted(stack: Stack) -> Iterator[dict[str, Any]]:
    """Secrets in the media bucket; the names and entity tags of all its objects."""
    for secret in SECRETS:
        stack.cloud.s3.put_object(Bucket=stack.media_bucket, Key=secret, Body=jpeg_photo((640, 480)))
    yield objects(stack)
    for secret in SECRETS:
        stack.cloud.s3.delete_object(Bucket=stack.media_bucket, Key=secret)


def objects(stack: Stack) -> dict[str, Any]:
    pages = stack.cloud.s3.get_paginator("list_objects_v2").paginate(Bucket=stack.media_bucket)
    return {found["Key"]: found["ETag"] for page in pages for found in page.get("Contents", [])}


def is_refusal(answer: Answer) -> bool:
    """Whether nothing was served: a client error, or a redirect within IIIF that names no other object."""
    if answer.status in (301, 303):
        return answer.headers["location"].startswith(("/iiif/3/", "http"))
    return 400 <= answer.status < 500


def test_no_spelling_of_a_path_reaches_another_object(
    stack: Stack, planted: dict[str, Any], attacker: Attacker
) -> None:
    reached, table = [], list(cases())
    for target, secret in table:
        answer = attacker.get(target)
        if not is_refusal(answer) or b"root:" in answer.body or b"AWS_" in answer.body:
            reached.append((target, secret, answer.status))
    assert reached == []
    assert len(table) >= 462, "as many as in the audit"
    assert objects(stack) == planted, "and nothing was stored"


def test_no_path_reads_settings_switches_or_markers(stack: Stack, attacker: Attacker) -> None:
    """Names of other objects below ``derivatives/``, and of the settings, as keys and as canonical paths."""
    others = ("a.jpg/_/refusal.json", "a.jpg/_/mezzanine-1280.jpg")
    for name in others:
        body = json.dumps({"code": "damaged"}).encode()
        stack.cloud.s3.put_object(Bucket=stack.media_bucket, Key=f"derivatives/{name}", Body=body)
    for name in ("settings/current.json", "switches/presets-only", *others, "a.jpg/_/full.auto"):
        for target in (f"/{name}", f"/_large/{name}", f"//{name}", f"/{name}?f=json", f"/cdn-cgi/image/f=json/{name}"):
            answer = attacker.get(target)
            assert is_refusal(answer), (target, answer.status)
            assert b'"damaged"' not in answer.body, target
    for name in others:
        stack.cloud.s3.delete_object(Bucket=stack.media_bucket, Key=f"derivatives/{name}")
