"""Stacks beside the first one, each deployed beside one local stack and used as by its users."""

from __future__ import annotations

import io
import json
import urllib.request
from pathlib import Path

import pytest
from PIL import Image

from darkroom.textures.container import IDENTIFIER
from tests.component.conversion.files import RED_HALF
from tests.images.photographs import jpeg_photo
from tests.stack.operating import Operator, fetch
from tests.waiting import HANG_S, wait_until
from tools.smoke.checks.further import CHECKS


@pytest.fixture
def operator(extensions_operator: Operator) -> Operator:
    return extensions_operator


def test_a_texture_is_made_once_and_served_by_its_signed_url(operator: Operator) -> None:
    operator.upload("cube/side.jpg", jpeg_photo())
    url = operator.darkroom("textures", "sign", "cube/side.jpg", "w=128").stdout.strip()
    for _ in range(2):
        with urllib.request.urlopen(url, timeout=HANG_S) as answer:
            assert answer.headers["content-type"] == "image/ktx2"
            assert answer.read(len(IDENTIFIER)) == IDENTIFIER
    assert len(operator.keys("media_bucket", "derivatives/cube/side.jpg/")) >= 1


def test_the_first_page_of_a_document_is_an_image(operator: Operator) -> None:
    s3, bucket = operator.stack.cloud.s3, operator.read_outputs("document_pages")["DocumentsBucketName"]
    s3.put_object(Bucket=bucket, Key="reports/annual.pdf", Body=RED_HALF)
    wait_until(lambda: operator.state("documents/reports/annual.pdf") == "ready", "the page is ready")
    with fetch(operator.darkroom("sign", "/documents/reports/annual.pdf?w=200&f=png").stdout.strip()) as answer:
        image = Image.open(io.BytesIO(answer.read())).convert("RGB")
    assert image.size == (200, 100)
    assert (image.getpixel((50, 50)), image.getpixel((150, 50))) == ((255, 0, 0), (255, 255, 255))
    s3.put_object(Bucket=bucket, Key="no.pdf", Body=b"no document")

    def read_tags() -> dict[str, str]:
        return {one["Key"]: one["Value"] for one in s3.get_object_tagging(Bucket=bucket, Key="no.pdf")["TagSet"]}

    wait_until(lambda: read_tags() == {"darkroom": "refused", "code": "type-not-allowed"}, "the refusal is tagged")


def test_darkroom_smoke_checks_each_stack_and_leaves_locked_copies_only(operator: Operator, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    operator.darkroom("smoke", "--only", "further", "--output", str(report))
    document = json.loads(report.read_text())
    outcomes = {one["name"]: one["outcome"] for one in document["checks"]}
    assert outcomes == {check.name: "passed" for check in CHECKS} | {"source": "skipped"}, document
    assert document["not_removed"] == []
    s3 = operator.stack.cloud.s3
    listing = s3.get_paginator("list_object_versions")
    left = {
        one["Name"]
        for one in s3.list_buckets()["Buckets"]
        for page in listing.paginate(Bucket=one["Name"])
        if any(document["folder"].strip("/") in version["Key"] for version in page.get("Versions", []))
    }
    for bucket in left:
        assert s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]["ObjectLockEnabled"]
