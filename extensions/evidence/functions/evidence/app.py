"""The evidence function: reports of what speaks for or against the authenticity of an image, for token holders."""

from __future__ import annotations

from typing import Any

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.secrets import Secret
from darkroom.image_keys import master_names
from darkroom.services.live_settings import LiveSettings, SettingsBound, build_task_rules
from darkroom.settings import Settings
from darkroom.signing import parse_signing_keys
from darkroom_pipeline.aws.audit import AuditLog
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.vectors.factory import open_tags, open_vectors
from darkroom_pipeline.http.api import respond
from darkroom_pipeline.services.similarity import SimilaritySearch
from evidence.api import respond_to_request
from evidence.custody import Custody
from evidence.environment import EvidenceEnvironment
from evidence.identity import EXPORT, prove_request
from evidence.locked_bucket import LockedBucket
from evidence.originals import Originals
from evidence.process import AnalysisProcess
from evidence.service import EvidenceService

_env = EvidenceEnvironment()
_observer = PowertoolsObserver("evidence")
_s3, _dynamodb = create_client("s3"), create_client("dynamodb")
_index = Index(_dynamodb, _env.index_table)
_vectors = open_vectors(_env, _dynamodb)
_keys = Secret(_env.signing_keys_arn, CredentialSource(), parse_signing_keys, observer=_observer)
_sts = create_client("sts").meta.endpoint_url
_custody = Custody(LockedBucket(_s3, _env.custody_bucket), AuditLog(S3Bucket(_s3, _env.audit_bucket)))


def _build_search(settings: Settings) -> SimilaritySearch:
    return SimilaritySearch(
        vectors=_vectors,
        tags=open_tags(_env, _dynamodb),
        index=_index,
        keys=_keys,
        tasks=build_task_rules(settings).list_all() if _env.inference_mode != "off" else (),
    )


def _build(settings: Settings) -> EvidenceService:
    return EvidenceService(
        index=_index,
        originals=Originals(_s3, S3Bucket(_s3, _env.uploads_bucket), _custody),
        masters=S3Bucket(_s3, _env.master_bucket),
        master_names=master_names(_env),
        search=_build_search(settings),
        custody=_custody,
        analysis=AnalysisProcess(_env.analysis_timeout_s),
        keys=_keys,
    )


_service = SettingsBound(LiveSettings(S3Bucket(_s3, _env.media_bucket).read, _observer), _build)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Respond to an HTTP API event of ``ANY /_evidence/{key+}``, or return the report for an export.

    Only principals with the permission to invoke the function can request an export: ``{"export": {"key": …, "reason":
    …, "identity": …}}``, with the signed query of :mod:`evidence.identity`.
    """
    _observer.begin(context)
    if asked := event.get(EXPORT):
        with _observer.message(EXPORT, key=asked["key"]):
            key, reason, operator = prove_request(asked, EXPORT, _sts)
            return _service().export(key, operator, reason)
    with _observer.message("answer", route=event["routeKey"]):
        return respond(_observer, lambda: respond_to_request(_service, event))
