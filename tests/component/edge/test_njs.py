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

from darkroom.plan.edge_settings import build_edge_entries
from darkroom.plan.variants import AccessMode
from functions.edge.build import edge_code
from tests.unit.edge.engine import NOW_S, loadable
from tests.unit.edge.reference import case_presets, outcome
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
    code = loadable(edge_code())
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
