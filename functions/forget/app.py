"""The forget function: an operator invokes it with a key, gets a report of what was removed, and checks later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from darkroom.environment import ForgetEnvironment
from darkroom.errors import BadKey, DarkroomError
from darkroom.image_keys import large_wildcard, master_names
from darkroom.services.request_metrics import count_attempt
from darkroom_pipeline.aws.audit import AuditLog
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.cloudfront import Distribution
from darkroom_pipeline.aws.erasures import ErasureTable
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sample_slots import SampleSlots
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.aws.vectors.factory import open_tags, open_vectors
from darkroom_pipeline.operations.erase.report import rejection_document
from darkroom_pipeline.operations.erase.service import EraseService
from darkroom_pipeline.services.purge.consumer import Wildcard

_env = ForgetEnvironment()
_s3, _dynamodb = create_client("s3"), create_client("dynamodb")
_observer = PowertoolsObserver("forget")


def _list_wildcards() -> Iterator[Wildcard]:
    """Yield wildcards of what may be cached, also if it is off now."""
    if _env.has_dialects:  # else there is no layer with dialects
        from darkroom_dialects.registry import iiif_wildcard

        yield iiif_wildcard
    if _env.has_large_copies:
        yield large_wildcard


_service = EraseService(
    uploads=S3Bucket(_s3, _env.uploads_bucket),
    media=S3Bucket(_s3, _env.media_bucket),
    source=S3Bucket(_s3, _env.master_bucket),
    source_names=master_names(_env),
    quarantine=S3Bucket(_s3, _env.quarantine_bucket),
    index=Index(_dynamodb, _env.index_table),
    vectors=open_vectors(_env, _dynamodb),
    tags=open_tags(_env, _dynamodb) if _env.has_similarity else None,
    distribution=Distribution(create_client("cloudfront"), _env.distribution_id),
    purges=Queue(create_client("sqs"), _env.purge_queue_url),
    erasures=ErasureTable(_dynamodb, _env.index_table),
    audit=AuditLog(S3Bucket(_s3, _env.audit_bucket)),
    observer=_observer,
    wildcards=[*_list_wildcards()],
    further={"samples": SampleSlots(_dynamodb, _env.index_table).delete},
)


def handler(event: dict[str, Any], context: Any) -> dict[str, object]:
    """Erase ``{"key": "photo.jpg", "by": "requested by"}``; return the report.

    With ``"check": true`` return the state of the last erasure instead, with ``"find": true`` beside it what is stored.
    An event without a valid key gets a document, too, with the status ``refused``.
    """
    _observer.begin(context)
    with _observer.message("forget"):
        try:
            with count_attempt(_observer):
                return _answer(event, context)
        except DarkroomError as error:  # returned: Lambda's Errors metric pages, and is for timeouts and crashes only
            _observer.log("WARNING", "erasure request rejected", code=error.code, detail=error.detail)
            return rejection_document(event.get("key"), error)


def _answer(event: dict[str, Any], context: Any) -> dict[str, object]:
    key, by = event.get("key"), str(event.get("by", ""))
    if not isinstance(key, str):
        raise BadKey('The event is {"key": "..."}, with the key of the upload as it is, not percent-encoded')
    if event.get("check") is True:  # beside find: an older function ignores that word, and would erase
        return _service.find(key) if event.get("find") is True else _service.check(key)
    return _service.erase(key, lambda: context.get_remaining_time_in_millis() / 1000, by).to_document()
