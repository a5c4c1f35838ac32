"""What its function needs before its events run in the execution environment of Lambda."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from extensions.document_pages.tests.component.files import RED_HALF
from local.aws import Cloud
from local.own_stack import stack_name
from tests.execution_environment.prepared import put_quietly

DOCUMENT = "reports/annual.pdf"


def _put_document(cloud: Cloud, _: Mapping[str, Any]) -> dict[str, Any]:
    bucket = cloud.read_outputs(stack_name("document-pages"))["DocumentsBucketName"]
    put_quietly(cloud, bucket, {DOCUMENT: RED_HALF})
    return {}


BEFORE: Mapping[str, Callable[[Cloud, Mapping[str, Any]], dict[str, Any]]] = {"DocumentsFunction": _put_document}
"""By the logical id of the function: stores its objects and returns further events."""
