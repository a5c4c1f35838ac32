"""The table of cases in njs, where it is installed (Debian: ``njs``): the nearest there is to CloudFront's own engine.

It reads patterns as Perl does and constants from above only, which the embedded V8 of the other tests does not.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from functions.edge.build import ACCESS_MODE, edge_code

from .engine import NOW_S
from .reference import case_presets, outcome
from .test_cases import TABLE, asked, check

NJS = shutil.which("njs")


@pytest.mark.skipif(NJS is None, reason="njs is not installed")
@pytest.mark.parametrize("mode", ["guarded", "open", "signed"])
def test_the_edge_function_in_njs(mode: str, tmp_path: Path) -> None:
    assert NJS is not None
    cases = [case for case in TABLE if asked(case).mode == mode]
    events = json.dumps(json.dumps([asked(case).event() for case in cases]))
    code = edge_code(case_presets()).replace(ACCESS_MODE, mode)
    script = tmp_path / "edge.js"
    script.write_text(
        f"Date.now = function () {{ return {NOW_S * 1000}; }};\n{code}\n"
        f"JSON.parse({events}).forEach(event => console.log(JSON.stringify(handler(event))));\n",
        encoding="utf-8",
    )
    run = subprocess.run([NJS, str(script)], capture_output=True, text=True, check=True)
    answers = run.stdout.splitlines()
    assert len(answers) == len(cases) > 0
    for case, answer in zip(cases, answers, strict=True):
        check(case, outcome(json.loads(answer)))
