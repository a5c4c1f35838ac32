"""Client-supplied findings, from the request for a form to the sidecar beside the master."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from darkroom.aws.telemetry import LightObserver
from darkroom.client_findings import MAX_TEXT_BYTES, encode_findings, parse_client_findings, sign_findings
from darkroom.findings import CLIENT, FACES, TAGS, Finding, Findings, findings_from_document, findings_to_document
from darkroom.services.upload_requests import Grant, make_token
from darkroom_pipeline.aws.findings_store import sidecar_name
from darkroom_pipeline.aws.presigned_post import PostPresigner
from darkroom_pipeline.aws.record import READY
from darkroom_pipeline.aws.s3_objects import FINDINGS, FINDINGS_SIGNATURE
from darkroom_pipeline.aws.upload_counters import UploadCounters
from darkroom_pipeline.services.ingest.context import IngestOutcome
from darkroom_pipeline.services.ingest.handler import handle_event
from darkroom_pipeline.services.upload import UploadApi
from tests.component.services.ingest_environment import KEYS, IngestEnvironment
from tests.fixed_keys import FixedKeys
from tests.images.photographs import jpeg_photo, png_noise

from .api import DOCS, Api, send

KEY = "trips/rome.jpg"
BODY = jpeg_photo()
FOUND = {"faces": [{"box": [0.41, 0.2, 0.1, 0.15], "score": 0.98}], "tags": [{"name": "Straße", "score": 0.7}]}
TEXT = encode_findings(parse_client_findings(FOUND))


@pytest.fixture
def env(aws: Callable[[str], Any]) -> IngestEnvironment:
    return IngestEnvironment.build(aws)


def signed(text: str = TEXT, body: bytes = BODY, key: str = KEY, signing_key: str = KEYS[0]) -> dict[str, str]:
    return {FINDINGS: text, FINDINGS_SIGNATURE: sign_findings(key, sha256(body).hexdigest(), text, signing_key)}


def sidecar(env: IngestEnvironment, key: str = KEY) -> Findings | None:
    opened = env.vault("media").open(sidecar_name("1", key))
    return None if opened is None else findings_from_document(json.loads(opened.body.read()))


@pytest.mark.slow
def test_from_the_form_to_the_sidecar(env: IngestEnvironment) -> None:
    uploads = UploadApi(
        PostPresigner(env.clients["s3"], env.names["uploads"]),
        env.index,
        FixedKeys(KEYS),
        UploadCounters(env.clients["dynamodb"], env.names["index"]),
        LightObserver("upload"),
    )
    asked = {"key": KEY, "type": "image/jpeg", "size": len(BODY), "sha256": sha256(BODY).hexdigest()}
    token = make_token(Grant("trips/", int(uploads.clock()) + 900), KEYS[0])
    form: Any = uploads.presign(uploads.authorise(token), json.dumps(asked | {"findings": FOUND}).encode())
    assert send(form, BODY, **{"x-amz-meta-findings": "another"})[1] == "AccessDenied"
    assert send(form, BODY, **{"x-amz-meta-findings-signature": None})[1] == "AccessDenied"
    assert send(form, BODY) == (204, "")
    assert env.handle(env.change(KEY, env.next_sequencer())) is IngestOutcome.READY
    found = sidecar(env)
    assert found is not None
    assert found.source_etag == env.record(KEY).master.etag.strip('"')
    assert (found.generation, found.pending) == ("1", ())
    assert {finding.origin for finding in found.found.values()} == {CLIENT}
    [face], [tag] = found.found[FACES].faces, found.found[TAGS].labels
    assert (face.region, face.score) == ((0.41, 0.2, 0.1, 0.15), 0.98)
    assert (tag.name, tag.score) == ("Straße", 0.7)


def test_a_form_without_findings_is_as_it_was(api: Api) -> None:
    assert not [name for name in api.ask().document["fields"] if "findings" in name]
    answer = api.ask(findings={"faces": "none"})
    assert (answer.status, answer.document["code"], answer.document["field"]) == (400, "bad-upload", "findings.faces")


@pytest.mark.slow
def test_the_key_before_counts_too(env: IngestEnvironment) -> None:
    env.created(KEY, BODY, Metadata=signed(signing_key=KEYS[1]))
    assert sidecar(env) is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({FINDINGS: TEXT}, "unsigned"),
        (signed() | {FINDINGS: encode_findings(parse_client_findings({"faces": []}))}, "forged"),
        (signed(key="trips/other.jpg"), "forged"),
        (signed(body=b"another image"), "forged"),
        (signed(signing_key="another key"), "forged"),
        (signed("e30"), "malformed"),
    ],
)
def test_metadata_of_other_software_is_ignored_and_the_image_is_not(
    env: IngestEnvironment, capsys: pytest.CaptureFixture[str], metadata: dict[str, str], reason: str
) -> None:
    context = env.context
    change = env.change(KEY, env.upload(KEY, BODY, Metadata=metadata))
    assert handle_event(context, change) is IngestOutcome.READY
    context.observer.flush()
    assert env.record(KEY).state == READY
    assert sidecar(env) is None
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["reason"] for line in lines if line.get("message") == "client findings ignored"] == [reason]
    assert [line["reason"] for line in lines if "FindingsIgnored" in line] == [reason]


@pytest.mark.slow
def test_what_inference_found_in_this_master_stays(env: IngestEnvironment) -> None:
    env.created(KEY, BODY)
    etag = env.record(KEY).master.etag.strip('"')
    ours = Findings("1", etag, {FACES: Finding(FACES, "centerface", "1")})
    env.archive.put_sidecar(KEY, ours, replaces=None)
    assert env.created(KEY, BODY, Metadata=signed()) is IngestOutcome.DUPLICATE
    assert sidecar(env) == ours


@pytest.mark.slow
def test_what_was_found_in_an_earlier_master_goes(env: IngestEnvironment) -> None:
    env.created(KEY, png_noise(40, 30))
    ours = Findings("1", env.record(KEY).master.etag.strip('"'), {FACES: Finding(FACES, "centerface", "1")})
    env.archive.put_sidecar(KEY, ours, replaces=None)
    env.created(KEY, BODY, Metadata=signed())
    found = sidecar(env)
    assert found is not None
    assert found.found[FACES].origin == CLIENT
    assert findings_to_document(found)["tasks"].keys() == {FACES, TAGS}


@pytest.mark.slow
def test_a_copy_may_bring_its_own(env: IngestEnvironment) -> None:
    env.created("first.jpg", BODY)
    assert env.created(KEY, BODY, Metadata=signed()) is IngestOutcome.DUPLICATE
    assert sidecar(env) is not None
    assert sidecar(env, "first.jpg") is None


def test_a_waiting_image_is_analysed_before_it_is_served(env: IngestEnvironment) -> None:
    env.blocks = True
    assert env.created(KEY, BODY, Metadata=signed()) is IngestOutcome.HELD
    assert sidecar(env) is None


def test_the_documented_requests_are_right() -> None:
    section = DOCS.read_text(encoding="utf-8").partition("## Findings of your own")[2].partition("\n## ")[0]
    request, command = re.findall(r"```(?:json|sh)\n(.*?)```", section, re.DOTALL)
    assert parse_client_findings(json.loads(request)["findings"]).faces
    shown = re.search(r"^found='(.*)'$", command, re.MULTILINE)
    assert shown is not None
    assert parse_client_findings(json.loads(shown[1])).faces
    assert f"{MAX_TEXT_BYTES:,} bytes" in section
