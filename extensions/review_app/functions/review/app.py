"""The review function: decisions about held images, the audit log and the URL playground, for people who sign in."""

from __future__ import annotations

from typing import Any

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.secrets import Secret
from darkroom.image_keys import master_names
from darkroom.services.deadline import restart_if_abandoned
from darkroom.services.live_settings import LiveSettings, SettingsBound, build_source_limits
from darkroom.services.request_metrics import log_request
from darkroom.settings import Settings
from darkroom.signing import parse_signing_keys
from darkroom_analysis.review.app import ReviewApp, read_pages, respond
from darkroom_analysis.review.decisions import Decisions
from darkroom_analysis.review.held_images import HeldImages
from darkroom_analysis.review.messages import from_event, to_result
from darkroom_analysis.review.playground import Playground
from darkroom_pipeline.aws.audit import AuditLog
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.documents import DocumentStore
from darkroom_pipeline.aws.findings_store import FindingsStore
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.services.masters import Masters
from review_app.environment import ReviewEnvironment
from review_app.sign_in import HostedSignIn
from review_app.tokens import TokenVerifier

_env = ReviewEnvironment()
_observer = PowertoolsObserver("review")
_s3, _dynamodb = create_client("s3"), create_client("dynamodb")
_media, _source, _names = S3Bucket(_s3, _env.media_bucket), S3Bucket(_s3, _env.master_bucket), master_names(_env)
_index, _entries = Index(_dynamodb, _env.index_table), DocumentStore(_dynamodb, _env.index_table)
_reviews = Queue(create_client("sqs"), _env.review_queue_url, _observer.trace_header)
_keys = Secret(_env.signing_keys_arn, CredentialSource(), parse_signing_keys, observer=_observer)
_access = HostedSignIn(
    TokenVerifier(_env.issuer, _env.client_id, _env.keys_url), _env.pages_url, _env.client_id, _env.app_url
)
_pages = read_pages()
_BASE = "/_/review/"
_SITE = _env.app_url.removesuffix(_BASE)


def _build_app(settings: Settings) -> ReviewApp:
    masters = Masters(_source, _names, _media)
    limits = build_source_limits(settings)
    return ReviewApp(
        access=_access,
        pages=_pages,
        held=HeldImages(_index, FindingsStore(_media, _entries), masters, limits, settings.moderation_max_views),
        decisions=Decisions(_index, _entries, _reviews),
        audit=AuditLog(S3Bucket(_s3, _env.audit_bucket)),
        playground=Playground(_source, _names, settings, lambda: _keys.get()[0]),
    )


_app = SettingsBound(LiveSettings(_media.read, _observer), _build_app)


@restart_if_abandoned
def handler(event: dict[str, Any], context: Any) -> dict[str, object]:
    """Answer an HTTP API event (payload format 2.0) below ``/_/review/``."""
    _observer.begin(context)
    with _observer.message("answer", route=event["routeKey"]):
        response, error = respond(_app, from_event(event, _BASE, _SITE))
        log_request(_observer, response.status, error)
        return to_result(response)
