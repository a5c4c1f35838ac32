"""Lint the template with SAM's linter (test_regions runs cfn-lint) and check samconfig.toml."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from extensions import list_extensions

from .stack import ROOT, TEMPLATE, Stack, broken_rules, template

ENVIRONMENTS = ("small", "inference", "archive")
"""Of samconfig.toml, for `sam deploy --config-env`."""
EXTENSIONS = list_extensions()

SAM = ROOT / ".local" / "venvs" / "sam" / "bin" / "sam"


@pytest.fixture
def sam() -> str:
    found = str(SAM) if SAM.exists() else shutil.which("sam")
    if found is None:
        pytest.skip("no SAM CLI; `make run` installs one")
    return found


@pytest.mark.parametrize(
    "path",
    [TEMPLATE, *(pytest.param(one.template, marks=pytest.mark.slow) for one in EXTENSIONS)],
    ids=["root", *(one.name for one in EXTENSIONS)],
)
def test_sam_validates_with_lint(sam: str, path: Path) -> None:
    environment = os.environ | {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "SAM_CLI_TELEMETRY": "0",
    }
    done = subprocess.run(
        [sam, "validate", "--lint", "--template", str(path)],
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
    for environment in ("default", *ENVIRONMENTS, "local"):
        deploy = config[environment]["deploy"]["parameters"]
        assert deploy["capabilities"] == "CAPABILITY_IAM CAPABILITY_AUTO_EXPAND"
        assert deploy["confirm_changeset"] == (environment != "local")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_environments_set_parameters_that_the_template_accepts(environment: str) -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    overrides = dict(
        one.split("=", 1) for one in config[environment]["deploy"]["parameters"]["parameter_overrides"].split()
    )
    declared = template()["Parameters"]
    assert set(overrides) <= set(declared)
    for name, value in overrides.items():
        assert value in map(str, declared[name].get("AllowedValues", [value]))
        assert int(declared[name].get("MinValue", 0)) <= int(value) if declared[name]["Type"] == "Number" else value
    assert broken_rules(**overrides) == set()


@pytest.mark.parametrize("environment", ["default", "small"])
def test_a_first_deployment_reserves_no_concurrency(environment: str) -> None:
    """A new account's quota is 10, of which Lambda lets nothing be reserved."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    overrides = config[environment]["deploy"]["parameters"].get("parameter_overrides", "").split()
    stack = Stack(**dict(one.split("=", 1) for one in overrides))
    for properties in stack.of_type("AWS::Lambda::Function").values():
        assert "ReservedConcurrentExecutions" not in properties
    assert not any("ProvisionedConcurrencyConfig" in one for one in stack.of_type("AWS::Lambda::Alias").values())


def test_a_small_account_is_not_taken_up_by_background_work() -> None:
    """Of ten concurrent executions some are left for viewers: queues and state machines are limited to fewer."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    overrides = dict(
        one.split("=", 1) for one in config["small"]["deploy"]["parameters"]["parameter_overrides"].split()
    )
    sources = Stack(UrgentUploads="off", **overrides).of_type("AWS::Lambda::EventSourceMapping").values()
    assert sum(int(one["ScalingConfig"]["MaximumConcurrency"]) for one in sources if one.get("Enabled", True)) < 10
