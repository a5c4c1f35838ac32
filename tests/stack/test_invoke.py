"""``darkroom invoke`` against the running stack, for each function that it deploys, and with a breakpoint."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from darkroom_pipeline.services.large_image.steps import StepAction
from local.paths import COMMAND, ROOT
from tests.response_bucket import receive_responses
from tests.waiting import HANG_S

from .conftest import Stack

APP = Path("functions/transform/app.py")


def invoke(stack: Stack, name: str, event: str, *, python: tuple[str, ...] = (), given: str = "") -> Any:
    command = [sys.executable, *python, "-m", "cli", "invoke", name, event, "--state-dir", str(stack.state)]
    return subprocess.run(command, cwd=ROOT, input=given, capture_output=True, text=True, check=False, timeout=HANG_S)


@pytest.mark.sample(6)
@pytest.mark.smoke
@pytest.mark.parametrize(
    ("name", "event", "status"),
    [
        ("transform", "hit.json", 200),
        ("TransformFunction", "no-source.json", 404),
        ("transform", "thumbor.json", 200),
        ("upload", "no-token.json", 401),
        ("similar", "expired.json", 401),
    ],
)
def test_an_http_function_returns_its_response(stack: Stack, name: str, event: str, status: int) -> None:
    folder = name.removesuffix("Function").lower()
    done = invoke(stack, name, f"events/{folder}/{event}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["statusCode"] == status
    assert '"level":"' in done.stderr


@pytest.fixture(scope="module")
def fresh(stack: Stack) -> Path:
    """The folder of events that succeed on this stack."""
    command = [*COMMAND, "events", "--state-dir", str(stack.state)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=HANG_S)
    return stack.state / "events"


@pytest.mark.parametrize(("event", "status"), [("upload/form", 201), ("upload/state", 200), ("similar/found", 501)])
def test_an_event_with_a_fresh_token_is_accepted(stack: Stack, fresh: Path, event: str, status: int) -> None:
    done = invoke(stack, event.partition("/")[0], str(fresh / f"{event}.json"))
    assert done.returncode == 0, done.stderr
    response = json.loads(done.stdout)
    assert response["statusCode"] == status
    # This stack analyses no images; with embeddings: tests/component/services/similarity/test_events.py
    if status == 501:
        assert json.loads(response["body"])["code"] == "no-inference"


def test_the_four_steps_of_a_large_image_succeed(stack: Stack, fresh: Path) -> None:
    answers = {}
    for action in StepAction:
        done = invoke(stack, "scene", str(fresh / "scene" / f"{action}.json"))
        assert done.returncode == 0, done.stderr
        answers[action] = json.loads(done.stdout)
    assert answers["plan"]["strips"]
    assert answers["bind"]["bytes"] > 100_000
    assert answers[StepAction.REPORT] == {"code": "", "fault": ""}


def test_an_old_upload_event_is_dropped(stack: Stack) -> None:
    created = (ROOT / "events" / "ingest" / "created.json").read_text()
    done = invoke(stack, "ingest", "-", given=created.replace("samples/events/created.jpg", "samples/coffee.png"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"batchItemFailures": []}


@pytest.mark.parametrize(("name", "event"), [("purge", "two-keys.json"), ("refine", "no-such-derivative.json")])
def test_a_queue_function_returns_its_failures(stack: Stack, name: str, event: str) -> None:
    done = invoke(stack, name, f"events/{name}/{event}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"batchItemFailures": []}


def test_a_request_of_cloudformation_is_answered(stack: Stack) -> None:
    with receive_responses() as bucket:
        done = invoke(stack, "publish", "-", given=json.dumps(bucket.request("create")))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"reason": ""}
    assert [one["Status"] for one in bucket.documents] == ["SUCCESS"]


def test_an_upload_that_is_gone_is_not_urgent(stack: Stack) -> None:
    done = invoke(stack, "expedite", "events/expedite/posted.json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"urgent": False}


@pytest.mark.parametrize(
    ("name", "event", "field"), [("sweep", "hourly.json", "checked"), ("popular", "hourly.json", "files")]
)
def test_a_scheduled_function_returns_its_report(stack: Stack, name: str, event: str, field: str) -> None:
    done = invoke(stack, name, f"events/{name}/{event}")
    assert done.returncode == 0, done.stderr
    assert field in json.loads(done.stdout)


@pytest.mark.parametrize(
    ("name", "event", "error"),
    [
        ("library", "no-such-operation.json", "BadRun"),
        ("monitor", "no-such-watch.json", "BadOption"),
        ("scene", "no-such-action.json", "BadRun"),
    ],
)
def test_an_exception_of_the_handler_is_reported(stack: Stack, name: str, event: str, error: str) -> None:
    done = invoke(stack, name, f"events/{name}/{event}")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"functions/{name}/app.py" in done.stderr
    assert f"darkroom.errors.{error}: " in done.stderr.splitlines()[-1]


def test_a_function_that_is_not_deployed_is_rejected(stack: Stack) -> None:
    done = invoke(stack, "infer", "events/infer/ready.json")
    assert (done.returncode, done.stdout) == (3, "")
    assert (
        done.stderr == "darkroom: The running stack has no InferFunction: its condition in template.yaml is not met\n"
    )


def test_a_debugger_stops_at_a_breakpoint(stack: Stack) -> None:
    lines = (ROOT / APP).read_text().splitlines()
    number = next(index for index, line in enumerate(lines, 1) if "EdgeRequest.parse(event)" in line)
    debugger = ("-m", "pdb", "-c", f"b {APP}:{number}", "-c", "c")
    commands = "p event['rawPath'], context.get_remaining_time_in_millis()\nc\nq\n"
    done = invoke(stack, "transform", "events/transform/hit.json", python=debugger, given=commands)
    assert f"{APP}({number})handler()" in done.stdout + done.stderr
    assert "('/samples/coffee.png/_/w-320.auto-webp', 25000)" in done.stdout + done.stderr
    assert '"statusCode": 200' in done.stdout
