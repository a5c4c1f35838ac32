"""Objects that the events in ``events/`` are about, and events that no file can have: tokens, versions, new formats."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

from darkroom.plan.native_url import parse_url
from darkroom.signing import sign
from darkroom_pipeline.aws.documents import DocumentStore
from darkroom_pipeline.aws.findings_store import FindingsStore
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.s3 import S3Bucket
from extensions import list_extensions
from local.aws import Cloud
from local.event_samples import CREATED, EVENT_S
from local.events import FOLDER, LOCAL_KEY, read_events
from local.generated_events import KNOWN, build_events
from local.own_stack import stack_name
from tests.component.conversion.files import samples
from tests.component.template.stack import ROOT
from tests.images.photographs import jpeg_photo
from tests.images.signed_files import sign_upload
from tests.waiting import wait_until

from .functions import FUNCTIONS

PHOTO = "samples/rocket.jpg"
"""A JPEG that each start of the stack ingests."""

OVERLAY = f"/samples/coffee.png?w=500&ov=text:Sale%20{quote('限时特价')},at:north,size:8,bold:1"
CONVERTED_FORMATS = "converted_formats=['bmp', 'ico', 'jp2', 'jxl', 'psd']"
"""The setting for uploads that ingest converts in a process of its own."""

IMAGES = ROOT / "tests" / "images"
TEXT = '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="80"><text y="60" font-size="60">Sale</text></svg>'
UPLOADS: Mapping[str, Callable[[], bytes]] = {
    **{form: partial(lambda name: samples()[name], form) for form in ("bmp", "ico", "jp2", "psd")},
    "jxl": (IMAGES / "jxl" / "lossy.jxl").read_bytes,
    "heic": (IMAGES / "heic" / "corners-display-p3.heic").read_bytes,
    "svg": TEXT.encode,
    "c2pa": lambda: sign_upload(jpeg_photo()),
}
"""Uploads by the library that reads each: decoders in a process of their own, libheif, librsvg with fonts, c2pa."""


def name_upload(kind: str) -> str:
    """Return the key of one of :data:`UPLOADS`."""
    return f"samples/events/created.{kind}"


def put_quietly(cloud: Cloud, bucket: str, bodies: Mapping[str, bytes]) -> None:
    """Store ``bodies`` by key without the bucket's events, so that the stack's own functions do not handle them."""
    found = cloud.s3.get_bucket_notification_configuration(Bucket=bucket)
    before = {name: value for name, value in found.items() if name != "ResponseMetadata"}
    cloud.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    for key, body in bodies.items():
        cloud.s3.put_object(Bucket=bucket, Key=key, Body=body)
    time.sleep(EVENT_S)
    cloud.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=before)  # type: ignore[arg-type]


def put_objects(cloud: Cloud, info: Mapping[str, Any], kinds: Iterable[str] = UPLOADS) -> None:
    """Store the uploads that events are about, as new."""
    index = Index(cloud.dynamodb, info["index_table"])
    for kind in kinds:
        index.delete(name_upload(kind))
        cloud.s3.delete_object(Bucket=info["media_bucket"], Key=f"masters/{name_upload(kind)}")
    put_quietly(cloud, info["uploads_bucket"], {name_upload(kind): UPLOADS[kind]() for kind in kinds})


def build_created(kind: str) -> dict[str, Any]:
    """Return the message that one of :data:`UPLOADS` was stored."""
    created = (FOLDER / "ingest" / "created.json").read_text(encoding="utf-8")
    message: dict[str, Any] = json.loads(created.replace(CREATED, name_upload(kind)))
    return message


def build_signed(url: str) -> dict[str, Any]:
    """Return a signed GET of ``url``, by a browser that accepts WebP."""
    event, request = read_events("transform")["signed.json"], parse_url(url).path
    signed = {"x-darkroom-request": request, "x-darkroom-url": url, "x-darkroom-signature": sign(request, LOCAL_KEY)}
    path = request.removesuffix("auto") + "auto-webp"
    return event | {"rawPath": path, "headers": event["headers"] | signed}


def make_events(info: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return further events by logical id of the function and name."""
    found: dict[str, dict[str, Any]] = {}
    for name, event in build_events(info):
        folder, _, rest = name.partition("/")
        [logical_id] = [one for one, function in FUNCTIONS.items() if function.name == folder]
        found.setdefault(logical_id, {})[f"{Path(rest).stem}, fresh"] = event
    return found | {
        "IngestFunction": {f"created, {kind}": build_created(kind) for kind in UPLOADS},
        "TransformFunction": {"signed, text": build_signed(OVERLAY)},
    }


def read_effects(
    cloud: Cloud, info: Mapping[str, Any], logical_id: str, responses: Mapping[str, Any]
) -> dict[str, str]:
    """Return what the events of a function have done, where its responses do not show it."""
    if logical_id == "IngestFunction":
        index = Index(cloud.dynamodb, info["index_table"])
        records = {kind: index.get(name_upload(kind)) for kind in UPLOADS}
        return {f"state of {kind}": record.state if record else "" for kind, record in records.items()}
    if logical_id == "PublishFunction":
        return _read_answers(cloud, info)
    found = (getattr(module, "EFFECTS", {}).get(logical_id) for module in _load_prepared())
    return next((read(responses) for read in found if read is not None), {})


REQUESTS = ("create", "update", "delete")
"""Requests of CloudFormation about a custom resource."""


def _make_requests(cloud: Cloud, info: Mapping[str, Any]) -> dict[str, Any]:
    """Return the requests with presigned URLs, as CloudFormation sends them."""
    events = read_events("publish")

    def sign(name: str) -> str:
        parameters = {"Bucket": info["media_bucket"], "Key": f"watch/{name}.json"}
        return cloud.s3.generate_presigned_url("put_object", parameters)

    return {name: {**events[f"{name}.json"], "ResponseURL": sign(name)} for name in REQUESTS}


def _read_answers(cloud: Cloud, info: Mapping[str, Any]) -> dict[str, str]:
    """Return the status of each response to CloudFormation."""
    bodies = {
        name: cloud.s3.get_object(Bucket=info["media_bucket"], Key=f"watch/{name}.json")["Body"].read()
        for name in REQUESTS
    }
    return {f"answer to {name}": json.loads(body)["Status"] for name, body in bodies.items()}


def put_before(cloud: Cloud, info: Mapping[str, Any], logical_id: str) -> dict[str, Any]:
    """Store what ``logical_id`` uses up or what another function makes for it; return further events about that."""
    before = [_BEFORE, *(module.BEFORE for module in _load_prepared())]
    found = next((functions[logical_id] for functions in before if logical_id in functions), None)
    return found(cloud, info) if found else {}


def _load_prepared() -> list[ModuleType]:
    """Return what extensions have for their functions: ``BEFORE``, and ``EFFECTS`` to read out of responses."""
    modules = (one.load("tests.prepared") for one in list_extensions())
    return [module for module in modules if module is not None]


def invoke(cloud: Cloud, logical_id: str, stack: str, event: Mapping[str, Any]) -> None:
    """Invoke a function in the local stack's own way."""
    found = cloud.cloudformation.describe_stack_resource(StackName=stack_name(stack), LogicalResourceId=logical_id)
    name = found["StackResourceDetail"]["PhysicalResourceId"]
    answer = cloud.functions.invoke(FunctionName=name, Payload=json.dumps(event))
    assert "FunctionError" not in answer, answer["Payload"].read()


def _await_findings(cloud: Cloud, info: Mapping[str, Any]) -> dict[str, Any]:
    """Wait until the stack's own function, if there is one, has analysed the image that is requested redacted."""
    if "infer" not in info["queues"]:
        return {}
    media = S3Bucket(cloud.s3, info["media_bucket"])
    findings = FindingsStore(media, DocumentStore(cloud.dynamodb, info["index_table"]))
    wait_until(lambda: findings.read_record(KNOWN).announced, f"{KNOWN} is analysed")
    return {}


_BEFORE: Mapping[str, Callable[[Cloud, Mapping[str, Any]], dict[str, Any]]] = {
    "TransformFunction": _await_findings,
    "PublishFunction": _make_requests,
}
