"""Run every command on one stack as a user does: as a process, with ``--json``, by its exit code."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest

from cli.commands import app
from cli.exit_codes import ExitCode
from cli.framework import Command
from darkroom.plan.presets import load_default_presets
from darkroom_analysis.mlops.golden_set import EVALUATED_TASKS
from local.paths import COMMAND, ROOT
from tests.images.photographs import jpeg_photo
from tests.waiting import HANG_S, wait_until

from .conftest import Stack

FOLDER = "cli/"


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON output; it has the fields that the command declares."""
        assert self.code == 0, self.err
        document = json.loads(self.out)
        declared = set(declared_fields(self.words))
        assert "*" in declared or set(document) <= declared, f"{self.words}: {set(document) - declared}"
        return document


def declared_fields(words: tuple[str, ...]) -> list[str]:
    """The fields of the JSON of a command."""
    command: click.Command = app
    for word in words:
        if not isinstance(command, click.Group):
            break
        command = command.commands[word]
    assert isinstance(command, Command)
    return list(command.output or ())


type Run = Callable[..., Done]


@pytest.fixture
def run(stack: Stack, tmp_path: Path) -> Run:
    def run(*words: str, given: str = "") -> Done:
        done = subprocess.run(
            [*COMMAND, *words, "--state-dir", str(stack.state)],
            cwd=tmp_path,
            input=given,
            capture_output=True,
            text=True,
            timeout=HANG_S,
            check=False,
        )
        return Done(words, done.returncode, done.stdout, done.stderr)

    return run


def test_images_from_upload_to_erasure(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    (folder / "in").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(jpeg_photo((400, 300)))
    (folder / "in" / "b é.jpg").write_bytes(jpeg_photo((300, 400)))
    page = tmp_path / "uploads.html"
    uploaded = run("upload", str(folder), "--prefix", FOLDER, "--page", str(page), "--json").document
    assert {(row["key"], row["outcome"], row["error"]) for row in uploaded["uploads"]} == {
        (f"{FOLDER}a.jpg", "ready", ""),
        (f"{FOLDER}in/b é.jpg", "ready", ""),
    }
    for row in uploaded["uploads"]:
        with urllib.request.urlopen(f"{row['url']}?w=320", timeout=HANG_S) as answer:
            assert answer.status == 200

    images = re.findall(r"<img [^>]* src='([^']+)'.*?<span>webp, ([\d.]+) kB</span>", page.read_text())
    assert len(images) == 2 * len(load_default_presets().at_ingest)
    with urllib.request.urlopen(images[0][0], timeout=HANG_S) as answer:
        assert f"{len(answer.read()) / 1000:.1f}" == images[0][1]

    (folder / "page.html").write_bytes(b"<!doctype html>")
    done = run("upload", str(folder / "page.html"), "--prefix", FOLDER)
    assert (done.code, "refused: type-not-allowed" in done.err) == (ExitCode.FAILED, True)
    head, row, *_ = done.out.splitlines()
    assert (head.split()[0], row.split()[0]) == ("key", f"{FOLDER}page.html")

    signed = run("sign", f"/{FOLDER}a.jpg?w=333", "--json").document["url"]
    with urllib.request.urlopen(signed, timeout=HANG_S) as answer:
        assert answer.status == 200
    assert run("sign", "--dialect", "thumbor", f"/300x200/{FOLDER}a.jpg", "--json").document["url"]
    assert run("sign", "--dialect", "cloudflare", "/a.jpg").code == ExitCode.USAGE

    token = run("token", "--prefix", FOLDER, "--json").document
    request = urllib.request.Request(
        f"{token['upload_url']}/uploads/{FOLDER}a.jpg", headers={"Authorization": f"Bearer {token['token']}"}
    )
    with urllib.request.urlopen(request, timeout=HANG_S) as answer:
        assert json.loads(answer.read())["state"] == "ready"

    assert run("purge", f"{FOLDER}a.jpg", "--json").document["keys"] == 1
    assert run("findings", "show", f"{FOLDER}a.jpg", "--json").document["state"] == "pending"
    assert run("findings", "show", f"{FOLDER}none.jpg").code == ExitCode.NOT_FOUND

    asked = run("forget", f"{FOLDER}a.jpg")  # standard input is empty
    assert asked.code not in (ExitCode.OK, ExitCode.NOT_FOUND)
    assert f"{FOLDER}a.jpg is ready; data in uploads, masters, derivatives" in asked.err
    unknown = run("forget", f"{FOLDER}a%2Ejpg", "--yes")
    assert unknown.code == ExitCode.NOT_FOUND
    assert f"try {FOLDER}a.jpg" in unknown.err
    report = run("forget", f"{FOLDER}a.jpg", "--by", "ada", "--yes", "--json").document
    assert report["status"] == "pending_invalidation"
    assert report["removed"]["masters"] == 1
    assert run("forget", f"{FOLDER}a.jpg", "--check").code in (ExitCode.OK, ExitCode.FAILED)
    assert run("forget", f"{FOLDER}none.jpg", "--check").code == ExitCode.NOT_FOUND
    assert run("forget", f"{FOLDER}none.jpg", "--unknown", "--yes", "--json").document["removed"]["masters"] == 0
    assert run("review", "release", f"{FOLDER}in/b é.jpg").code == ExitCode.NOT_FOUND


def test_the_state_of_the_stack(run: Run, stack: Stack) -> None:
    found = run("status", "--json").document
    assert (found["stack"]["where"], found["stack"]["status"]) == ("local", "CREATE_COMPLETE")
    assert found["urls"]["cdn"] == stack.cdn_url
    assert set(found["queues"]) >= {"ingest", "review", "purge", "refine"}
    assert set(found["queues"]["ingest"]) == {"waiting", "in_flight", "delayed", "dead_letters"}
    assert found["settings"]["version"] >= 1
    assert set(found["versions"]["functions"]) == set(stack.functions)
    done = run("doctor", "--json")
    checks = {one["name"]: one["outcome"] for one in json.loads(done.out)["checks"]}
    assert done.code == ("problem" in checks.values())
    assert {checks[name] for name in ("stack", "cdn", "settings", "functions")} == {"ok"}
    assert "not checked" not in checks.values()
    bill = run("cost", "--json").document
    lines = {one["line"]: one["usd"] for one in bill["lines"]}
    assert lines["Lambda: uploads"] > 0
    assert lines["S3: storage"] is None, "MiniStack has no such metric"
    assert bill["month_usd"] > bill["usd"] > 0
    text = run("status").out
    assert all(word in text for word in ("CREATE_COMPLETE", "ingest", "quarantine", "review", "TransformFunction"))


def test_functions_and_their_logs(run: Run, tmp_path: Path) -> None:
    event = str(ROOT / "events" / "transform" / "hit.json")
    here = run("invoke", "transform", event)
    deployed = run("invoke", "transform", event, "--deployed", "--json").document
    assert json.loads(here.out)["statusCode"] == deployed["statusCode"] == 200
    assert run("invoke", "nothing", event).code == ExitCode.NOT_FOUND
    assert run("invoke", "transform", "none.json").code == ExitCode.USAGE
    wait_until(lambda: run("logs", "transform", "--since", "1h").out, "the function's log has lines")
    [line] = run("logs", "transform", "--since", "1h", "--limit", "1", "--json").out.splitlines()
    assert set(json.loads(line)) == set(declared_fields(("logs",)))
    assert len(run("events", "--json").document["files"]) == 7


def test_what_operators_do(run: Run, tmp_path: Path) -> None:
    assert run("review", "list", "--json").document == {"images": []}
    assert run("review", "confirm", "none.jpg").code == ExitCode.NOT_FOUND
    assert set(run("redrive", "--dry-run", "--json").document["queues"]) == {"ingest", "review", "purge", "refine"}
    assert run("redrive", "infer").code == ExitCode.NOT_FOUND
    on = run("switch", "fallback", "on", "--for", "1", "--by", "ada", "--json").document["switches"]["fallback"]
    assert (on["on"], on["by"]) == (True, "ada")
    assert not run("switch", "fallback", "off", "--json").document["switches"]["fallback"]["on"]
    assert run("versions", "prune", "transform", "--dry-run", "--json").document["versions"] == []

    before = run("settings", "show", "--json").document
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({**before["settings"], "keep_gps": True}))
    assert "keep_gps = true" in run("settings", "diff", str(file), "--json").document["difference"]
    applied = run("settings", "apply", str(file), "--by", "ada", "--reason", "a test", "--json").document
    assert applied["is_new"]
    rolled_back = run("settings", "rollback", str(before["number"]), "--yes", "--json").document
    assert rolled_back["version"] == applied["version"] + 1
    assert [row["in_force"] for row in run("settings", "history", "--json").document["versions"]][-1]
    assert run("settings", "check", "--json").document["stale"] == []


def test_models_where_there_is_no_endpoint(run: Run, tmp_path: Path) -> None:
    generation = run("findings", "active", "--json").document["generation"]
    assert run("findings", "activate", generation, "--json").document == {"generation": generation}
    assert run("findings", "activate", "NO").code == ExitCode.USAGE
    assert run("findings", "reanalyse").code == ExitCode.NOT_FOUND
    assert run("registry", "list").code == ExitCode.NOT_FOUND
    assert run("replay", "--variants", "a", "b").code == ExitCode.NOT_FOUND
    assert run("golden", "list", "--json").document == {"images": [], "labelled": dict.fromkeys(EVALUATED_TASKS, 0)}


def test_runs_over_the_library(run: Run) -> None:
    done = run("library", "start", "--operation", "presets", "--prefix", "samples/coffee", "--run", "cli", "--json")
    assert done.document["summary"]["outcomes"] == {"done": 1}
    assert run("library", "report", "cli", "--json").document["summary"]["keys"] == 1
    assert run("library", "start", "--operation", "presets", "--run", "cli").code == ExitCode.USAGE
    assert run("library", "watch", "none").code == ExitCode.NOT_FOUND


def test_checks_around_a_deployment(run: Run) -> None:
    findings = run("preflight", "--local", "--region", "us-east-1", "--json")
    assert findings.code in (ExitCode.OK, ExitCode.FAILED)
    assert {"status", "subject", "found", "action", "command"} == set(json.loads(findings.out)["findings"][0])
    listed = run("smoke", "--list", "--json").document["checks"]
    assert {"group", "name", "proves"} == set(listed[0])
    found = run("smoke", "--only", "signed", "--json").document
    assert [check["outcome"] for check in found["checks"]] == ["passed"]
    assert found["not_removed"] == []
