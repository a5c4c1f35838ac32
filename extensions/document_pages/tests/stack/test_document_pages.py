"""PDF documents beside a local stack, used as by their users."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from extensions.document_pages.tests.component.files import RED_HALF
from tests.stack.operating import Operator, fetch
from tests.waiting import wait_until


@pytest.fixture
def operator(extensions_operator: Operator) -> Operator:
    return extensions_operator


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
