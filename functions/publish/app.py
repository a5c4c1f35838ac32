"""The publish function: in a deployment, publishes the edge's entries of the settings in force, for CloudFormation."""

from __future__ import annotations

from typing import Any

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.secrets import Secret
from darkroom.environment import PublishEnvironment
from darkroom.overlays.plugin import OVERLAYS
from darkroom.plan.option_plugins import register_plugin
from darkroom.services.request_metrics import count_attempt
from darkroom.signing import parse_signing_keys
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.custom_resource import SPARE_S, answer_request, is_rolling_back
from darkroom_pipeline.aws.edge_store import connect_edge_store
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.experiments.runs import RunStore
from darkroom_pipeline.services.edge_publication import EdgePublication

register_plugin(OVERLAYS)

_env = PublishEnvironment()
_media = S3Bucket(create_client("s3"), _env.media_bucket)
_store = connect_edge_store(_env.edge_store_arn)
_runs = RunStore(_media)
_observer = PowertoolsObserver("publish")
_cloudformation = create_client("cloudformation")

_keys = Secret(_env.signing_keys_arn, CredentialSource(), parse_signing_keys)

_publication = EdgePublication(
    _store, _media.read, lambda found: _runs.read_stopped(found.experiments), lambda: _keys.get(refresh=True), _observer
)


def handler(event: dict[str, Any], context: Any) -> dict[str, object]:
    """Carry out a request about the custom resource EdgeEntries; return ``{"reason": …}``, empty for a success.

    Deletion leaves the entries, which end with the store: without them the edge would force no redaction.
    """
    _observer.begin(context)

    def remaining_s() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    def publish() -> None:
        with count_attempt(_observer):
            _publication.run(lambda: remaining_s() - SPARE_S, lambda: is_rolling_back(_cloudformation, event))

    with _observer.message("publish"):
        reason = answer_request(event, _store.arn, publish, remaining_s)
        if reason:
            _observer.log("ERROR", "edge entries not published", detail=reason)
        return {"reason": reason}
