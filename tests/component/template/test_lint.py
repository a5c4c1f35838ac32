"""The linters that AWS's own tools run over the template."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from .stack import ROOT, TEMPLATE

SAM = ROOT / ".local" / "venvs" / "sam" / "bin" / "sam"


@pytest.fixture
def sam() -> str:
    found = str(SAM) if SAM.exists() else shutil.which("sam")
    if found is None:
        pytest.skip("no SAM CLI; `make run` installs one")
    return found


def test_cfn_lint_is_silent() -> None:
    found = lint(TEMPLATE.read_text(encoding="utf-8"), config=ManualArgs(regions=["us-east-1", "eu-central-1"]))
    assert [f"{match.rule.id} {match.message}" for match in found] == []


def test_sam_validates_with_lint(sam: str, tmp_path: Path) -> None:
    environment = os.environ | {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "SAM_CLI_TELEMETRY": "0",
    }
    done = subprocess.run(
        [sam, "validate", "--lint", "--template", str(TEMPLATE)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_samconfig_reuses_builds_and_asks_before_it_changes_an_account() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    for environment in ("default", "local"):
        assert config[environment]["build"]["parameters"] == {"cached": True, "parallel": True}
        assert config[environment]["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"
    assert config["default"]["deploy"]["parameters"]["confirm_changeset"] is True
    assert config["local"]["deploy"]["parameters"]["confirm_changeset"] is False
