"""The workflows of GitHub: what lint refuses in them, and that they run the project's own commands."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.paths import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
TOOLS = Path(sys.executable).parent


def read(name: str) -> Any:
    return yaml.safe_load((GITHUB / "workflows" / f"{name}.yml").read_text(encoding="utf-8"))


def audit(folder: Path) -> subprocess.CompletedProcess[str]:
    """The result of the tool that `make lint` runs."""
    command = [TOOLS / "zizmor", "--offline", "--no-progress", "--persona", "pedantic", "--format", "plain", folder]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("text", "replacement", "rule"),
    [
        (r"actions/checkout@[0-9a-f]{40} # v[0-9.]+", "actions/checkout@v7", "unpinned-uses"),
        (r"debian:13@sha256:[0-9a-f]{64}", "debian:13", "unpinned-images"),
        (r"^permissions: \{\}", "permissions: write-all", "excessive-permissions"),
        (r"run: \.ci/run", "run: echo ${{ github.head_ref }}", "template-injection"),
    ],
)
def test_lint_refuses_what_is_not_pinned_or_permitted(text: str, replacement: str, rule: str, tmp_path: Path) -> None:
    folder = tmp_path / ".github"
    shutil.copytree(GITHUB, folder)
    file = folder / "workflows" / "ci.yml"
    written = file.read_text(encoding="utf-8")
    changed = re.sub(text, replacement, written, count=1, flags=re.MULTILINE)
    assert changed != written
    file.write_text(changed, encoding="utf-8")
    found = audit(folder)
    assert found.returncode != 0
    assert rule in found.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_has_no_permission_that_no_job_names(path: Path) -> None:
    workflow = read(path.stem)
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        writes = {scope for scope, access in job["permissions"].items() if access == "write"}
        assert not writes or not any("make " in step.get("run", "") for step in job["steps"]), name
        assert job["timeout-minutes"] <= (350 if name == "test-all" else 120)


def test_actions_have_a_version_beside_the_commit() -> None:
    for path in WORKFLOWS:
        for line in re.findall(r"uses: .*", path.read_text(encoding="utf-8")):
            assert re.fullmatch(r"uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), f"{path.name}: {line}"


def test_ci_runs_the_project_s_own_command_on_both_processors() -> None:
    job = read("ci")["jobs"]["test"]
    assert ".ci/run" in [step.get("run") for step in job["steps"]]
    assert job["strategy"]["matrix"]["runner"] == ["ubuntu-24.04", "ubuntu-24.04-arm"]


def test_a_release_is_published_after_its_provenance_is_attested() -> None:
    jobs = read("release")["jobs"]
    assert [jobs[name].get("needs") for name in ("build", "attest", "github", "pypi")] == [
        None,
        "build",
        "attest",
        "github",
    ]
    assert "make release VERSION=" in "".join(step.get("run", "") for step in jobs["build"]["steps"])
    assert jobs["attest"]["permissions"] == {"attestations": "write", "id-token": "write"}


def test_exceptions_of_the_audit_have_a_reason() -> None:
    lines = (GITHUB / "audit-exceptions.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.match(r"#|[A-Z]+-[\w-]+ +# \S.{20}", line)] == []
