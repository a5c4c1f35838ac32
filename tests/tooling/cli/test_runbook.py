"""`darkroom runbook`: pages for a stack, and their commands, which reach it from a shell of another account."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest

from cli.runbooks import list_runbooks
from local.aws import Cloud
from local.control_pages import ControlPages
from local.paths import COMMAND
from local.stack_info import StackInfo
from tests import commands
from tests.commands import Commands
from tests.stack.operating import OTHER_ACCOUNT

QUEUES = ("PurgeQueue", "PurgeDeadLetters")


@pytest.fixture
def stack(
    aws: Callable[[str], Any], aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Commands:
    """A stack with the queues of purges, a message in the first one, and a distribution without invalidations."""
    urls = {f"{name}Url": aws("sqs").create_queue(QueueName=f"runbook-{name}")["QueueUrl"] for name in QUEUES}
    aws("sqs").purge_queue(QueueUrl=urls["PurgeQueueUrl"])
    aws("sqs").send_message(QueueUrl=urls["PurgeQueueUrl"], MessageBody="waits")
    origin = {"Id": "one", "DomainName": "example.com", "CustomOriginConfig": {
        "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}}  # fmt: skip
    made = aws("cloudfront").create_distribution(
        DistributionConfig={
            "CallerReference": "runbook",
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {"TargetOriginId": "one", "ViewerProtocolPolicy": "https-only"},
        }
    )
    return commands.local(aws_environment, tmp_path, capsys, {**urls, "DistributionId": made["Distribution"]["Id"]})


def run_in_another_account(stack: Commands, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a shell that is set up for a stack on AWS."""
    command = [*COMMAND, "runbook", *words, "--local", *stack.options]
    return subprocess.run(command, env=OTHER_ACCOUNT, input="", capture_output=True, text=True, check=False)


def test_blocks_run_on_the_stack_that_they_are_written_for(stack: Commands) -> None:
    done = run_in_another_account(stack, "purge", "--run", "1", "--yes")
    assert done.returncode == 0, done.stderr
    waiting, dead = done.stdout.split("]\n", 1)
    assert json.loads(waiting + "]")[0] == "1"
    assert dead.endswith("}\nNone\n"), "no invalidation is in progress"
    assert json.loads(dead.removesuffix("None\n")) == {"Attributes": {"ApproximateNumberOfMessages": "0"}}


def test_nothing_runs_without_consent(stack: Commands) -> None:
    refused = run_in_another_account(stack, "purge", "--run", "3")
    assert refused.returncode == 130
    assert "purge --all --yes --local --state-dir" in refused.stderr
    assert refused.stdout == ""


def test_pages_are_printed_for_a_stack(stack: Commands, capsys: pytest.CaptureFixture[str]) -> None:
    assert stack.run("runbook").lines == list_runbooks()
    page = stack.run("runbook", "purge", "--set", "key=a b.jpg")
    assert "# Block 4" in page.lines
    assert "key='a b.jpg'" in page.lines
    blocks = stack.run("runbook", "purge", "--json").document["blocks"]
    assert blocks[2].startswith("./darkroom purge --all --yes --local ")
    aws = Commands(("--stack", "shop"), capsys).run("runbook", "purge", "--json").document
    assert aws["blocks"][2] == "./darkroom purge --all --yes --stack shop\n"


def test_what_does_not_exist_is_named(stack: Commands) -> None:
    assert "there are bad-deploy, " in stack.run("runbook", "none").err
    assert stack.run("runbook", "purge", "--run", "5").code == 3
    assert "assign no variable 'keys'" in stack.run("runbook", "purge", "--set", "keys=a").err
    assert stack.run("runbook", "purge", "--set", "key").code == 2


def test_the_console_shows_runbooks_for_its_own_stack(stack: Commands, ministack_url: str, tmp_path: Path) -> None:
    """What it copies is what the command prints."""
    info = json.loads((tmp_path / "stack.json").read_text())
    names = StackInfo.__dataclass_fields__
    facts = StackInfo(**{name: info.get(name, "") for name in names})
    control = ControlPages(Cloud(ministack_url), facts, Mock(), Mock(), tmp_path)
    asked = cast(Any, SimpleNamespace(match_info={"name": "purge"}))
    shown = cast(Any, asyncio.run(control.runbook(asked))).text
    assert shown == stack.run("runbook", "purge", "--json").document["text"]
    assert f"purge --all --yes --local --state-dir {tmp_path}" in shown
    assert "--stack " not in shown
    assert not [line for line in shown.splitlines() if line.startswith("aws ")]


def test_the_environment_of_the_tests_would_not_reach_the_stack(stack: Commands) -> None:
    """Without an address in the command, the AWS CLI does not find the stack: the tests prove what they claim."""
    bare = [str(Path(sys.executable).with_name("aws")), "cloudformation", "describe-stacks", "--stack-name", "darkroom"]
    done = subprocess.run(
        bare,
        env={**OTHER_ACCOUNT, "AWS_MAX_ATTEMPTS": "1", "PATH": os.environ["PATH"]},
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0
