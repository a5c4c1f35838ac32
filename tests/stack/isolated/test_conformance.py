"""Run the official validator of the IIIF Image API, versions 2.1 and 3.0, at level 2, by its make target."""

from __future__ import annotations

import re
import subprocess

from local.paths import ROOT
from tools.conformance import TESTS


def test_the_official_validator_passes() -> None:
    done = subprocess.run(["make", "conformance"], cwd=ROOT, capture_output=True, text=True, timeout=3600, check=False)
    said = done.stdout + done.stderr
    for tests in TESTS.values():
        assert f"Done ({tests} tests, 0 failures)" in said, said
    assert done.returncode == 0, said
    assert len(re.findall(r"^\[\d+\] test \w+ PASS$", said, re.MULTILINE)) == sum(TESTS.values()), said
