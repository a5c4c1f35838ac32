"""The documents function: renders the first page of PDF documents, for events of their bucket."""

from __future__ import annotations

from typing import Any

from darkroom_pipeline.aws.clients import create_client, translate_errors
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import S3Bucket
from document_pages.renderer import DocumentRenderer, DocumentsEnvironment

_env = DocumentsEnvironment()
_s3 = create_client("s3")
_observer = PowertoolsObserver("documents")


def _tag(key: str, tags: dict[str, str]) -> None:
    listed = [{"Key": name, "Value": value} for name, value in tags.items()]
    with translate_errors(f"tag {key}"):
        _s3.put_object_tagging(Bucket=_env.documents_bucket, Key=key, Tagging={"TagSet": listed})


_renderer = DocumentRenderer(
    S3Bucket(_s3, _env.documents_bucket),
    S3Bucket(_s3, _env.uploads_bucket),
    _env.upload_prefix,
    _env.max_side_px,
    _tag,
    _observer,
)


def handler(event: dict[str, Any], context: object) -> str:
    """Follow an event ``Object Created`` or ``Object Deleted`` of EventBridge; a fault raises, and is retried."""
    _observer.begin(context)
    with _observer.message("document", correlation_id=str(event.get("id", ""))):
        return _renderer.follow(event["detail"]["object"]["key"])
