"""The commands of docs/guides/runbooks/model-down.md, run against a stack of the same outputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli import runbooks
from darkroom.findings import ENDPOINT
from darkroom_analysis.inference.analysis import AnalysisOutcome
from darkroom_analysis.inference.breaker import NAME
from darkroom_pipeline.services.analysis_requests import parse_request
from local.aws import tool_environment
from local.paths import REGION
from tests.component.aws import sagemaker
from tests.images.photographs import jpeg_photo

from .harness import InferEnvironment

pytestmark = pytest.mark.slow

KEY = "trips/rome.jpg"
LOG = "/aws/lambda/darkroom-infer"

type Follow = Callable[..., str]


@pytest.fixture
def follow(env: InferEnvironment, aws: Callable[[str], Any], ministack_url: str, tmp_path: Path) -> Iterator[Follow]:
    """Run the first block, which defines functions, and the named ones; return their output."""
    outputs = {
        "IndexTableName": env.names["index"],
        "InferQueueUrl": env.names["normal"],
        "InferPriorityQueueUrl": env.names["priority"],
        "InferDeadLettersUrl": env.names["dead"],
    }
    template = {
        "Resources": {"Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": LOG}}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    cloudformation = aws("cloudformation")
    cloudformation.create_stack(StackName="darkroom", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="darkroom", WaiterConfig={"Delay": 1})
    info = {
        "stack_name": "darkroom",
        "region": REGION,
        "aws_endpoint_url": ministack_url,
        "sagemaker_url": "",
        "cdn_url": "",
        "upload_url": "",
    }
    (tmp_path / "stack.json").write_text(json.dumps(info), encoding="utf-8")
    here = runbooks.name_local_stack(info, tmp_path)
    found = runbooks.list_blocks(runbooks.write_for(here, runbooks.read_runbook("model-down")))
    environment = tool_environment("http://127.0.0.1:9")

    def run(*blocks: int) -> str:
        chosen = [found[number] for number in (0, *blocks)]
        done = runbooks.run(chosen, environment, folder=tmp_path, by="ada")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    yield lambda _, *blocks: run(*blocks)
    cloudformation.delete_stack(StackName="darkroom")


def test_the_runbook_of_models_that_are_down(env: InferEnvironment, follow: Follow) -> None:
    env.circuit = type(env.circuit)(max_failures=3)
    env.runtime.behave = sagemaker.dead
    assert env.ready(KEY, jpeg_photo()) is AnalysisOutcome.FALLBACK
    said = follow("model-down.md")
    assert '"3"' in said
    assert str(int(env.now_s) + 30) in said

    follow("model-down.md", 1)
    assert env.entries.get(NAME).version == 0
    follow("model-down.md", 2)
    [message] = env.messages("priority")
    request = parse_request(json.dumps(message))
    assert request is not None
    env.runtime.behave = sagemaker.answer
    assert env.infer.handle(request) is AnalysisOutcome.ANALYSED
    last = follow("model-down.md", 2, 4).splitlines()[-1]
    assert {task["by"] for task in json.loads(last)["tasks"].values()} == {ENDPOINT}

    env.queue("dead").send(request.message)
    assert "sent back: 1" in follow("model-down.md", 3)
    waiting = env.messages("normal")  # with the repeated requests of the small models
    assert sum("redriven" in message.get("attributes", {}) for message in waiting) == 1
