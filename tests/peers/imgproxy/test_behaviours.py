"""Expectations of imgproxy's handler tests beside sizes (``integration/processing_handler_test.go`` of version 4).

The expectations are those at 01327c1ccec957b05b27364c725cfe7b5d7e9bb0. A row whose status here is another one has the
reason, which docs/reference/dialects/imgproxy.md has too.
"""

from __future__ import annotations

from typing import Any

import pytest

from darkroom.http.response import HttpResponse
from darkroom_dialects.common.parsed_url import DialectKey

from ..serving import TRUSTED, Deployment, image, size_of

pytestmark = pytest.mark.slow

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><rect width="9" height="9"/></svg>'
SIGNED = "/My9d3xq_PYpVHsPrCyww0Kh1w5KZeZhIlWhsa4az1TI/rs:fill:4:4/plain/local:///test1.png"
"""By ``test-key`` and ``test-salt``: TestSignatureValidationFailure."""


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    made = Deployment(DialectKey(b"test-key".hex(), b"test-salt".hex()))
    made.bucket.put("masters/test1.png", image("plain 60x40"), {})
    made.bucket.put("masters/test1.svg", SVG, {})
    return made


AGREES: list[tuple[str, bool, str, int]] = [
    ("NoSignature", True, "/unsafe/rs:fill:4:4/plain/local:///test1.png", 403),
    ("BadSignature", True, "/bad-signature/rs:fill:4:4/plain/local:///test1.png", 403),
    ("ValidSignature", True, SIGNED, 200),
    ("a trusted signature", True, f"/{TRUSTED}/rs:fill:4:4/plain/local:///test1.png", 200),
    ("a signature of another URL", True, SIGNED.replace("4:4", "5:4"), 403),
    ("TestSkipProcessingPO", False, "/unsafe/rs:fill:4:4/skp:png/plain/local:///test1.png", 200),
    ("TestSkipProcessingDifferentFormat", False, "/unsafe/rs:fill:4:4/skp:png/plain/local:///test1.png@jpg", 200),
    ("TestNotSkipProcessingSVGToJPG", False, "/unsafe/rs:fill:4:4/plain/local:///test1.svg@jpg", 200),
    ("health", True, "/health", 200),
]
"""Test, whether URLs have to be signed, path and status."""

DIFFERS: list[tuple[str, str, int, int, str]] = [
    ("TestSourceValidation", "/unsafe/plain/s3://images/a.jpg", 404, 400, "an unknown host is a mistake in the URL"),
    ("TestErrorSavingToSVG", "/unsafe/plain/local:///test1.png@svg", 422, 400, "svg is no output format"),
    ("TestResultingFormatNotSupported", "/unsafe/plain/local:///test1.png@jxl", 422, 400, "neither is jxl"),
    ("expires", "/unsafe/exp:1000/plain/local:///test1.png", 404, 403, "as for expired URLs of our own"),
    ("a missing source", "/unsafe/plain/local:///nothing.png", 404, 404, "the same, as problem+json"),
]  # fmt: skip
"""Test, path, the status there and here, and the reason."""


def get(deployment: Deployment, path: str, *, signed: bool = False, **headers: str) -> HttpResponse:
    return (deployment.signed() if signed else deployment).get(f"/imgproxy{path}", **headers)


@pytest.mark.parametrize(("test", "signed", "path", "status"), AGREES, ids=str)
def test_a_status_agrees(deployment: Deployment, test: str, signed: bool, path: str, status: int) -> None:
    assert get(deployment, path, signed=signed)["statusCode"] == status, test


@pytest.mark.parametrize(("test", "path", "there", "here", "reason"), DIFFERS, ids=[row[0] for row in DIFFERS])
def test_a_status_differs(deployment: Deployment, test: str, path: str, there: int, here: int, reason: str) -> None:
    assert reason
    assert 400 <= there < 500, test
    assert get(deployment, path)["statusCode"] == here


def test_skipped_processing_keeps_the_size_and_another_format_does_not(deployment: Deployment) -> None:
    assert size_of(get(deployment, AGREES[5][2])) == [60, 40]
    assert size_of(get(deployment, AGREES[6][2])) == [4, 4]


def test_an_svg_is_rendered_unless_its_processing_is_skipped(deployment: Deployment) -> None:
    """TestSkipProcessingSVG: imgproxy returns an SVG unprocessed by default; here that has to be requested."""
    rendered = get(deployment, "/unsafe/rs:fill:4:4/plain/local:///test1.svg")
    assert size_of(rendered) == [4, 4]
    skipped: Any = get(deployment, "/unsafe/rs:fill:4:4/skp:svg/plain/local:///test1.svg")["headers"]
    assert skipped["content-type"] == "image/svg+xml"


def test_an_entity_tag_is_compared(deployment: Deployment) -> None:
    """TestETagDataMatch."""
    path = "/unsafe/rs:fill:4:4/plain/local:///test1.png"
    headers: Any = get(deployment, path)["headers"]
    assert get(deployment, path, if_none_match=headers["etag"])["statusCode"] == 304
    head = deployment.get(f"/imgproxy{path}", method="HEAD")
    assert (head["statusCode"], head["body"]) == (200, "")
