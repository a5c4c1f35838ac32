"""Redaction: of images that differ under a redacted face only, every URL of every dialect gives the same bytes.

The rules of ``always_redact`` are in force and every variant may be requested, so that the random URLs reach exotic
options. ``tests/component/imaging/test_redact.py`` holds the same for single steps and kinds of sources. JSON
documents and thumbhashes describe the image as it is, which docs/reference/urls.md says.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from obstore.store import MemoryStore
from PIL import Image

from darkroom.aws.s3_fast import FastBucket
from darkroom.findings import ENDPOINT, FACES, Face, Finding, Findings, findings_to_document
from darkroom.http.response import HttpResponse
from darkroom.plan.variants import AccessMode
from darkroom_pipeline.aws.findings_store import sidecar_name
from tests.component.imaging.test_redact import FACE, jpeg, png, twins
from tests.tally import Tally
from tests.unsigned_urls import unsigned_urls

from .deployment import Deployment

KEY = "photo.jpg"
PAIRS = 1_200


def deployed(master: bytes) -> Deployment:
    """A deployment with one analysed master."""
    bucket = FastBucket(MemoryStore())
    bucket.put(f"masters/{KEY}", master, {})
    etag = str(bucket.etag(f"masters/{KEY}")).strip('"')
    finding = Finding(FACES, "model", "1", ENDPOINT, (Face(FACE, 0.9),))
    findings = Findings("1", etag, {FACES: finding})
    bucket.put(sidecar_name("1", KEY), json.dumps(findings_to_document(findings)).encode(), {})
    return Deployment.of(bucket, AccessMode.OPEN, "=faces")


def shown(response: HttpResponse) -> tuple[object, object]:
    return response["statusCode"], response.get("body")


def is_description(response: HttpResponse) -> bool:
    headers = response.get("headers")
    kind = str(headers.get("content-type", "")) if isinstance(headers, dict) else ""
    return response["statusCode"] == 200 and not kind.startswith("image/")


@pytest.mark.parametrize("save", [png, jpeg])
def test_no_url_distinguishes_redacted_twins(save: Callable[[Image.Image], bytes], tally: Tally) -> None:
    one, other = (deployed(save(twin)) for twin in twins())
    apart = []
    try:
        for sent in unsigned_urls(23, PAIRS, [KEY]):
            found, expected = one.response(sent), other.response(sent)
            tally.add("pairs")
            if "headers" in found and is_description(found):
                tally.add("descriptions")
            elif shown(found) != shown(expected):
                apart.append(sent)
            elif found["statusCode"] == 200:
                tally.add("images")
    finally:
        one.close()
        other.close()
    assert apart == []
    assert dict(tally.items())["images"] > 100
