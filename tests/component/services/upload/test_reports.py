"""Reports of clients about their uploads."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest

from darkroom_pipeline.services.upload_reports import MAX_MS, MAX_REPORTS

from ..emf_metrics import counted, of
from .api import Answer, Api, token_for

STORED = {"outcome": "stored", "ms": 1200}


def report(api: Api, uploads: Any, token: str | None = None) -> Answer:
    body = json.dumps({"uploads": uploads}).encode()
    return api.call("POST", "/uploads/report", f"Bearer {token or token_for('trips/')}", body)


def test_reports_become_two_metrics(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    rejected = {"outcome": "rejected", "code": "EntityTooLarge"}
    answer = report(api, [STORED, {"outcome": "stored", "ms": 300}, rejected, {"outcome": "failed", "code": "network"}])
    assert (answer.status, answer.document) == (202, {"accepted": 4})
    output = capsys.readouterr().out
    found = counted(output)
    assert of(found, "ClientUploadLatency") == {"": 1500}
    assert of(found, "ClientUploadRejected") == {"": 1}
    assert '"ClientUploadRejected":[0.0,0.0,1.0,0.0]' in output.replace(", ", ","), "the average is the rate"
    lines = [json.loads(line) for line in output.splitlines()]
    (line,) = (line for line in lines if line.get("message") == "uploads reported")
    assert line["outcomes"] == {"stored": 2, "rejected": 1, "failed": 1}
    assert line["codes"] == {"EntityTooLarge": 1, "network": 1}


@pytest.mark.parametrize(
    "uploads",
    [
        [],
        {},
        [STORED] * (MAX_REPORTS + 1),
        [{"outcome": "lost"}],
        [{}],
        [1],
        [STORED | {"ms": MAX_MS + 1}],
        [STORED | {"ms": -1}],
        [STORED | {"ms": 1.5}],
        [STORED | {"ms": True}],
        [STORED | {"ms": "1"}],
        [{"outcome": "rejected", "code": "a" * 41}],
        [{"outcome": "rejected", "code": "two words"}],
        [{"outcome": "rejected", "code": ["x"]}],
        [STORED | {"key": "trips/rome.jpg"}],
    ],
)
def test_other_values_are_not_counted(api: Api, uploads: Any, capsys: pytest.CaptureFixture[str]) -> None:
    answer = report(api, uploads, token_for(f"{secrets.token_hex(4)}/"))
    assert (answer.status, answer.document["code"]) == (400, "bad-upload")
    assert "ClientUpload" not in capsys.readouterr().out


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{}", b'{"uploads": [{"outcome": "stored"}], "more": 1}'])
def test_other_bodies(api: Api, body: bytes) -> None:
    headers = {"authorization": f"Bearer {token_for('bodies/')}"}
    event = {"routeKey": "POST /uploads/report", "headers": headers, "body": body.decode("latin1")}
    assert api.app.handler(event, None)["statusCode"] == 400


def test_a_large_body_is_not_parsed(api: Api) -> None:
    answer = report(api, [{"outcome": "rejected", "code": "x" * 5000}], token_for("large/"))
    assert "4096 bytes" in answer.document["detail"]


def test_reports_need_a_token(api: Api) -> None:
    assert api.call("POST", "/uploads/report", None, b"{}").status == 401


def test_the_rate_of_reports_is_limited_apart_from_that_of_files(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darkroom_pipeline.aws.upload_counters.REPORTS_A_MINUTE", 2)
    monkeypatch.setattr("darkroom_pipeline.aws.upload_counters.WINDOW_S", 1_000_000)
    token = token_for("reports/")
    assert [report(api, [STORED], token).status for _ in range(3)] == [202, 202, 429]
    assert api.ask(token, key="reports/a.jpg").status == 201
    assert report(api, [STORED], token_for("others/")).status == 202
