"""What its functions need before their events run in the execution environment of Lambda."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from darkroom.signing import parse_secret, parse_signing_keys
from extensions import find_extension
from local.aws import Cloud
from local.events import LOCAL_KEY, read_events
from local.own_stack import stack_name
from medical.access import sign_target
from medical.uids import replace_uid
from tests.execution_environment.prepared import invoke, put_quietly

EVENTS = find_extension("medical").folder / "events"
EXPIRES_S = 4_102_444_800
"""The year 2100."""

DICOM = "incoming/routine/8d6f4c0e.dcm"
UIDS = {f"{kind}InstanceUID": f"1.2.3.{number}" for number, kind in enumerate(("Study", "Series", "SOP"), 1)}


def _put_dicom(cloud: Cloud, _: Mapping[str, Any]) -> dict[str, Any]:
    import_module("extensions.medical.tests.component.conftest")  # pydicom, by which a file is made
    files = import_module("extensions.medical.tests.component.files")
    outputs = cloud.read_outputs(stack_name("medical"))
    body = files.save(files.make(**UIDS, PatientName="Doe^Jane", WindowCenter=1536, WindowWidth=3072))
    put_quietly(cloud, outputs["UploadsBucketName"], {DICOM: body})
    return {}


def _ingest_dicom(cloud: Cloud, info: Mapping[str, Any]) -> dict[str, Any]:
    """Have the stack's own function ingest the file; return the request for its image."""
    _put_dicom(cloud, info)
    invoke(cloud, "RoutineFunction", "medical", read_events("medical_ingest", EVENTS)["upload.json"])
    secret = cloud.secrets.get_secret_value(SecretId=cloud.read_outputs(stack_name("medical"))["UidKeyArn"])
    [key, *_] = parse_signing_keys(parse_secret(secret["SecretString"]))
    study, series, instance = (replace_uid(uid, key) for uid in UIDS.values())
    target = f"/dicomweb/studies/{study}/series/{series}/instances/{instance}/rendered?window=1536,3072"
    signed = sign_target(target, LOCAL_KEY, EXPIRES_S)
    path, _, query = signed.partition("?")
    event = read_events("medical", EVENTS)["unsigned.json"]
    return {"rendered, stored": event | {"rawPath": path, "rawQueryString": query}}


BEFORE: Mapping[str, Callable[[Cloud, Mapping[str, Any]], dict[str, Any]]] = {
    "StatFunction": _put_dicom,
    "RoutineFunction": _put_dicom,
    "MedicalFunction": _ingest_dicom,
}
"""By the logical id of the function: stores its objects and returns further events."""
