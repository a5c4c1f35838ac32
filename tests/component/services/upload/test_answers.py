"""The upload API: authorization and responses."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from darkroom.plan.limits import Limits
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.record import CLAIMED, HELD, READY, REFUSED, REMOVED, HeldUpload, Record, Refusal

from .api import KEYS, READY_RECORD, Api, token_for


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"key": "a//b"}, "key"), ({"type": "text/html"}, "type"), ({"size": 0}, "size"), ({"sha256": "no"}, "sha256")],
)
def test_a_wrong_request_names_its_field(api: Api, changes: dict[str, object], field: str) -> None:
    answer = api.ask(**changes)
    assert (answer.status, answer.document["code"], answer.document["field"]) == (400, "bad-upload", field)
    assert answer.headers == {
        "content-type": "application/problem+json",
        "cache-control": "no-store",
        "x-darkroom-error": "bad-upload",
    }


def test_sizes_end_at_the_limit_of_the_deployment_and_of_the_token(api: Api) -> None:
    assert api.ask(size=Limits().max_bytes).status == 201
    assert api.ask(size=Limits().max_bytes + 1).document["field"] == "size"
    assert api.ask(token_for("trips/", max_bytes=100), size=100).status == 201
    assert api.ask(token_for("trips/", max_bytes=100), size=101).document["field"] == "size"


def test_a_token_is_valid_for_its_number_of_files(api: Api) -> None:
    token = token_for("counted/", max_files=2)
    assert api.ask(token, key="counted/bad.jpg", size=0).status == 400, "a wrong request takes none"
    assert [api.ask(token, key=f"counted/{number}.jpg").status for number in range(3)] == [201, 201, 403]
    refused = api.ask(token, key="counted/2.jpg").document
    assert refused["code"] == "token-used-up"
    assert api.ask(token_for("counted/", max_files=3), key="counted/2.jpg").status == 201, "another token"


def test_one_token_that_sends_too_much_is_refused_and_no_other(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darkroom_pipeline.aws.upload_counters.REQUESTS_A_MINUTE", 3)
    monkeypatch.setattr("darkroom_pipeline.aws.upload_counters.WINDOW_S", 1_000_000)
    noisy, other = token_for("noisy/"), token_for("quiet/")
    garbage = [api.call("POST", "/uploads", f"Bearer {noisy}", b"garbage").status for _ in range(4)]
    assert garbage == [400, 400, 400, 429]
    answer = api.ask(noisy, key="noisy/a.jpg")
    assert (answer.status, answer.document["code"]) == (429, "too-many-uploads")
    assert int(answer.headers["retry-after"]) >= 1
    assert api.ask(other, key="quiet/a.jpg").status == 201


@pytest.mark.parametrize("key", [KEYS["current"], KEYS["previous"]])
def test_both_keys_make_tokens(api: Api, key: str) -> None:
    assert api.ask(token_for("trips/", key=key)).status == 201


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer é",
        f"Basic {token_for('trips/')}",
        token_for("trips/"),
        f"Bearer {token_for('trips/', key='another key')}",
        f"Bearer {token_for('trips/', lasts_s=-1)}",
        f"Bearer {token_for('trips/')}, Bearer x",
    ],
    ids=["none", "empty", "no token", "blank", "no ASCII", "Basic", "no scheme", "another key", "over", "two"],
)
def test_no_valid_token(api: Api, authorization: str | None) -> None:
    for answer in (api.call("POST", "/uploads", authorization, b"{}"), api.call("GET", "/uploads/a", authorization)):
        assert (answer.status, answer.document["code"]) == (401, "bad-token")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER  {}", "Bearer {} "])
def test_the_scheme_is_spelled_as_http_allows(api: Api, form: str) -> None:
    assert api.call("GET", "/uploads/trips/none.jpg", form.format(token_for("trips/"))).status == 404


def test_keys_outside_of_the_grant(api: Api) -> None:
    api.know(Record("secret/rome.jpg", READY, "1", sha256="ab"))
    for answer in (api.ask(key="secret/rome.jpg"), api.fate("secret/rome.jpg"), api.fate("secret/none.jpg")):
        assert (answer.status, answer.document["code"]) == (403, "not-granted")
        assert "secret" not in json.dumps(answer.document)


def test_a_token_for_one_key(api: Api) -> None:
    token = token_for("trips/rome.jpg")
    assert api.ask(token).status == 201
    assert api.ask(token, key="trips/rome.jpg/more.jpg").status == 403


def test_an_upload_that_nothing_is_known_of(api: Api) -> None:
    answer = api.fate("trips/unknown.jpg")
    assert (answer.status, answer.document["code"]) == (404, "not-ingested")
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["cache-control"] == "no-store"


def test_the_outcome_of_an_image(api: Api) -> None:
    api.know(READY_RECORD)
    answer = api.fate("trips/ready.jpg")
    assert answer.status == 200
    assert answer.headers == {"content-type": "application/json", "cache-control": "no-store"}
    assert answer.document == {
        "key": "trips/ready.jpg",
        "state": "ready",
        "sha256": "ab" * 32,
        "version": "v1",
        "updated_at": "2026-11-25T12:00:00+00:00",
        "picture": {"width": 640, "height": 480, "format": "jpeg", "thumbhash": "1QcSHQRnh493V4dIh4eXh1h4kJUI"},
    }


def test_same_bytes_are_reported_within_the_grant_only(api: Api) -> None:
    api.know(replace(READY_RECORD, key="trips/copy.jpg", same_as="trips/ready.jpg"))
    assert api.fate("trips/copy.jpg").document["same_as"] == "trips/ready.jpg"
    api.know(replace(READY_RECORD, key="trips/copy.jpg", same_as="secret/ready.jpg"))
    assert "secret" not in json.dumps(api.fate("trips/copy.jpg").document)


def test_the_outcome_of_what_was_refused(api: Api) -> None:
    refusal = Refusal("damaged", "It ends too soon", "1-2", "cd" * 32, "q")
    api.know(replace(READY_RECORD, key="trips/bad.jpg", state=REFUSED, version_id="v2", refusal=refusal))
    assert api.fate("trips/bad.jpg").document == {
        "key": "trips/bad.jpg",
        "state": "refused",
        "sha256": "cd" * 32,
        "version": "v2",
        "updated_at": "2026-11-25T12:00:00+00:00",
        "code": "damaged",
        "reason": "It ends too soon",
    }


def test_the_outcome_of_what_waits(api: Api) -> None:
    held = HeldUpload("cd" * 32, {"width": 3}, {"camera": "x"}, flagged=True)
    api.know(replace(READY_RECORD, key="trips/held.jpg", state=HELD, version_id="v2", held=held))
    assert api.fate("trips/held.jpg").document == {
        "key": "trips/held.jpg",
        "state": "held",
        "sha256": "cd" * 32,
        "version": "v2",
        "updated_at": "2026-11-25T12:00:00+00:00",
        "flagged": True,
        "picture": {"width": 3},
    }


@pytest.mark.parametrize("state", [CLAIMED, REMOVED])
def test_other_states_reveal_no_earlier_state(api: Api, state: str) -> None:
    api.know(replace(READY_RECORD, key="trips/other.jpg", state=state))
    assert api.fate("trips/other.jpg").document == {"key": "trips/other.jpg", "state": state}


@pytest.mark.parametrize(
    "key", ["trips/100%.jpg", "trips/100%25.jpg", "trips/a+b c.jpg", "trips/é/ü.jpg", "trips/%41.jpg"]
)
def test_the_status_path_leads_back_to_the_key(api: Api, key: str) -> None:
    api.know(replace(READY_RECORD, key=key))
    status = api.ask(key=key).document["status"]
    assert api.fate(status.removeprefix("/uploads/")).document["key"] == key


def test_a_path_that_was_decoded_altogether(api: Api) -> None:
    api.know(replace(READY_RECORD, key="trips/50%.jpg"))
    event = {
        "routeKey": "GET /uploads/{key+}",
        "pathParameters": {"key": "trips/50%.jpg"},
        "headers": {"authorization": f"Bearer {token_for('trips/')}"},
    }
    assert json.loads(api.app.handler(event, None)["body"])["key"] == "trips/50%.jpg"


def test_a_path_to_no_key(api: Api) -> None:
    answer = api.fate("trips/../secret.jpg")
    assert (answer.status, answer.document["code"]) == (400, "bad-key")


def test_a_body_in_base64(api: Api) -> None:
    """An HTTP API passes unknown media types on as base64."""
    body = json.dumps({"key": "trips/é.jpg", "type": "image/png", "size": 1, "sha256": "0" * 64}).encode()
    event = {
        "routeKey": "POST /uploads",
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
        "headers": {"authorization": f"Bearer {token_for('trips/')}"},
    }
    assert api.app.handler(event, None)["statusCode"] == 201


def test_a_defect_is_a_problem_too(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    made = api.app.handler({"routeKey": "POST /uploads", "headers": None}, None)
    assert made["statusCode"] == 500
    assert json.loads(made["body"])["code"] == "internal"
    assert "Traceback" in capsys.readouterr().out


def test_an_index_that_does_not_answer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = create_client("dynamodb", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    unanswered = replace(api.app._service(), index=Index(nowhere, api.table))
    monkeypatch.setattr(api.app, "_service", lambda: unanswered)
    answer = api.fate("trips/rome.jpg")
    assert (answer.status, answer.document["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0


def test_tokens_stay_out_of_the_logs(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    token = token_for("trips/")
    signature = api.ask(token).document["fields"]["x-amz-signature"]
    api.fate("trips/rome.jpg", token)
    api.ask(token + "x")
    said = capsys.readouterr().out
    assert said.count("answered") == 3
    assert token.partition(".")[2] not in said
    assert signature not in said
