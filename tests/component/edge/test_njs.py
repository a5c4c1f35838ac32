"""Run the table of cases in njs where it is installed (Debian: ``njs``), the closest engine to CloudFront's.

It reads patterns as Perl does and constants from above only, which the embedded V8 of the other tests does not.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from darkroom.plan.url_builder import sign_literal, sign_target
from darkroom.plan.variants import AccessMode
from darkroom_pipeline.plan.edge_settings import PrivateImages, build_edge_entries
from functions.edge.build import edge_code
from tests.component.template.stack import Stack
from tests.unit.edge.engine import NOW_S, loadable
from tests.unit.edge.language import violations
from tests.unit.edge.reference import ViewerRequest, case_presets, outcome
from tests.unit.edge.test_cases import TABLE, asked, check

NJS = shutil.which("njs")


def settings_of(case: dict[str, Any]) -> tuple[str, str, str]:
    request = asked(case)
    return request.mode, request.always, request.metadata


@pytest.mark.sample(5)
@pytest.mark.skipif(NJS is None, reason="njs is not installed")
@pytest.mark.parametrize("settings", sorted({settings_of(case) for case in TABLE}), ids=" ".join)
def test_the_edge_function_in_njs(settings: tuple[str, str, str], tmp_path: Path) -> None:
    assert NJS is not None
    mode, always, metadata = settings
    cases = [case for case in TABLE if settings_of(case) == settings]
    requests = map(asked, cases)
    entries = dict(build_edge_entries(AccessMode(mode), always, case_presets(), metadata))
    held = [
        (asked.event(), entries | ({"findings": asked.generation} if asked.generation else {})) for asked in requests
    ]
    code = loadable(edge_code(), "const crypto = require('crypto');\n")
    script = tmp_path / "edge.js"
    script.write_text(
        f"Date.now = function () {{ return {NOW_S * 1000}; }};\n{code}\n"
        f"const held = JSON.parse({json.dumps(json.dumps(held))});\n"
        "async function all() { for (let at = 0; at < held.length; at++) {\n"
        "cf.held = held[at][1]; const event = held[at][0]; event.request.rawQueryString = () => event.rawQueryString;\n"
        "const answer = await handler(event); console.log(JSON.stringify(answer)); } }\n"
        "all();\n",
        encoding="utf-8",
    )
    run = subprocess.run([NJS, str(script)], capture_output=True, text=True, check=True)
    answers = run.stdout.splitlines()
    assert len(answers) == len(cases) > 0
    for case, answer in zip(cases, answers, strict=True):
        check(case, outcome(json.loads(answer)))


@pytest.mark.skipif(NJS is None, reason="njs is not installed")
def test_private_images_in_njs_with_its_own_crypto(tmp_path: Path) -> None:
    assert NJS is not None
    key, url = "a signing key of two dozen", "/clients/caf%C3%A9.jpg?w=801"
    signers = [(sign_target, key), (sign_literal, key), (sign_target, "another key of 16 characters")]
    urls = [url, *(sign(url, by, NOW_S + 60) for sign, by in signers)]
    private = PrivateImages(("clients/",), ("the newer signing key", key))
    held = dict(build_edge_entries(AccessMode.OPEN, "", case_presets(), private=private))
    script = tmp_path / "edge.js"
    script.write_text(
        f"""Date.now = function () {{ return {NOW_S * 1000}; }};
{loadable(edge_code(), "const crypto = require('crypto');")}
const events = JSON.parse({json.dumps(json.dumps([ViewerRequest(one).event() for one in urls]))});
cf.held = JSON.parse({json.dumps(json.dumps(held))});
async function all() {{ for (let at = 0; at < events.length; at++) {{
const event = events[at]; event.request.rawQueryString = () => event.rawQueryString;
const answer = await handler(event); console.log(answer.statusCode || answer.uri); }} }}
all();
""",
        encoding="utf-8",
    )
    run = subprocess.run([NJS, str(script)], capture_output=True, text=True, check=True)
    path = "/clients/caf.-C3A9.jpg/_/w-801.auto-legacy"
    assert run.stdout.split() == ["403", path, path, "403"]


def inline_functions() -> dict[str, str]:
    """The functions that the template contains as they are written, by their names."""
    hosts = {
        "Dialects": "on",
        "ImgproxyDomainName": "img.example.com",
        "CertificateArn": "arn:aws:acm:us-east-1:0:certificate/a",
    }
    return {
        name: one["FunctionCode"]
        for name, one in Stack(**hosts).of_type("AWS::CloudFront::Function").items()
        if name not in ("EdgeFunction", "LanguagesFunction", "DropInLanguagesFunction")
    }


def test_inline_functions_are_in_the_language_of_the_engine() -> None:
    found = inline_functions()
    assert found.keys() == {"VaryFunction", "DropInVaryFunction", "PreflightFunction"}
    written = {name: violations(code, has_words=name == "DropInVaryFunction") for name, code in found.items()}
    assert written == {name: [] for name in found}


def run_inline(code: str, event: dict[str, Any], tmp_path: Path) -> Any:
    """The result of the code of an inline function in njs."""
    assert NJS is not None
    script = tmp_path / "inline.js"
    script.write_text(
        f"{code}\nconst event = JSON.parse({json.dumps(json.dumps(event))});\n"
        "event.request.rawQueryString = () => event.rawQueryString;\n"
        "console.log(JSON.stringify(handler(event)));\n",
        encoding="utf-8",
    )
    return json.loads(subprocess.run([NJS, str(script)], capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(NJS is None, reason="njs is not installed")
@pytest.mark.parametrize(
    ("asked_for", "status"),
    [
        ({"if-match": {"value": '"v1"'}}, 200),
        ({"if-match": {"value": '"v0"', "multiValue": [{"value": '"v0"'}, {"value": '"v1"'}]}}, 200),
        ({"if-match": {"value": 'W/"v1"'}}, 412),
        ({"if-unmodified-since": {"value": "Mon, 30 Nov 2026 10:00:00 GMT"}}, 412),
        ({"if-unmodified-since": {"value": "Tue, 01 Dec 2026 10:00:00 GMT"}}, 200),
        ({}, 200),
    ],
)
@pytest.mark.parametrize("function", ["VaryFunction", "DropInVaryFunction"])
def test_conditions_in_njs(function: str, asked_for: dict[str, Any], status: int, tmp_path: Path) -> None:
    stored = {"etag": {"value": '"v1"'}, "last-modified": {"value": "Tue, 01 Dec 2026 10:00:00 GMT"}}
    event = {
        "request": {"method": "GET", "uri": "/a", "querystring": {}, "headers": asked_for},
        "response": {"statusCode": 200, "statusDescription": "OK", "headers": stored},
    }
    answer = run_inline(inline_functions()[function], event, tmp_path)
    assert answer["statusCode"] == status
    assert answer["headers"]["vary"] == {"value": "Accept, DPR, Sec-CH-DPR, Save-Data, Origin"}
    assert ("cache-control" in answer["headers"]) == (status == 412)


@pytest.mark.skipif(NJS is None, reason="njs is not installed")
def test_preflights_in_njs(tmp_path: Path) -> None:
    request = {"method": "OPTIONS", "uri": "/a", "querystring": {}, "headers": {}}
    answer = run_inline(inline_functions()["PreflightFunction"], {"request": request}, tmp_path)
    assert answer == {"statusCode": 204}
