"""Two stacks in one region of an account and one of the same name in another: each keeps to its own events and data."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from filelock import AsyncFileLock
from PIL import Image

from local import tool_venvs
from local.aws import Cloud, tool_environment
from local.ministack import MiniStack
from local.paths import ROOT, Ports, StackPaths, architecture
from local.ports import find_free_ports
from local.post_deploy import complete
from local.progress import Progress
from tests.announcements import complaints
from tests.waiting import wait_until

WITHIN_S = 900.0
"""A hang: three stacks start their functions on a machine that has other work too."""


@dataclass(frozen=True)
class Deployed:
    """A stack by its name and region. Its image has its own key, so that a trace of it elsewhere is detected."""

    name: str
    region: str
    url: str

    @cached_property
    def cloud(self) -> Cloud:
        return Cloud(self.url, self.region)

    @cached_property
    def outputs(self) -> dict[str, str]:
        return self.cloud.read_outputs(self.name)

    @property
    def key(self) -> str:
        return f"{self.name}-in-{self.region}.png"

    def index(self) -> dict[str, dict[str, Any]]:
        """Records of images by key."""
        items = self.cloud.dynamodb.scan(TableName=self.outputs["IndexTableName"])["Items"]
        return {item["pk"]["S"].partition("#")[2]: item for item in items if item["pk"]["S"].startswith("image#")}

    def objects(self) -> set[str]:
        """Keys in the media bucket."""
        pages = self.cloud.s3.get_paginator("list_objects_v2").paginate(Bucket=self.outputs["MediaBucketName"])
        return {one["Key"] for page in pages for one in page.get("Contents", [])}

    def log(self, function: str) -> str:
        """All that a function has logged."""
        pages = self.cloud.logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{self.name}-{function}"
        )
        return "\n".join(event["message"] for page in pages for event in page["events"])


STACKS = (("first", "us-east-1"), ("second", "us-east-1"), ("first", "eu-central-1"))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    asyncio.run(tool_venvs.ensure(Progress()))
    cdn, aws = find_free_ports(2)
    ports = Ports(cdn=cdn, aws=aws)
    ministack = MiniStack(StackPaths(tmp_path_factory.mktemp("several")), ports)
    asyncio.run(ministack.start())
    yield ports.aws_url
    asyncio.run(ministack.stop())


@pytest.fixture(scope="module")
def stacks(url: str, tmp_path_factory: pytest.TempPathFactory) -> list[Deployed]:
    async def deploy_all() -> None:
        async with AsyncFileLock(
            ROOT / ".aws-sam" / ".lock"
        ):  # the build folder is shared by all stacks of this checkout
            await asyncio.to_thread(_sam, url, "us-east-1", "build", "--parameter-overrides", f"Arch={architecture()}")
            for name, region in STACKS:
                overrides = (
                    f"Arch={architecture()}",
                    "InferenceMode=lambda",
                    "Alarms=off",
                    "Refine=off",
                    "IngestConcurrency=2",
                    "EndpointConcurrency=4",
                )
                options = ("--stack-name", name, "--region", region, "--parameter-overrides", *overrides)
                await asyncio.to_thread(_sam, url, region, "deploy", *options)
                await asyncio.to_thread(complete, Cloud(url, region), name)

    asyncio.run(deploy_all())
    return [Deployed(name, region, url) for name, region in STACKS]


def _sam(url: str, region: str, command: str, *options: str) -> None:
    python = tool_venvs.python_path("sam")
    environment = tool_environment(url) | {"ARCH": architecture(), "AWS_DEFAULT_REGION": region, "AWS_REGION": region}
    environment["PATH"] = f"{python.parent}:{environment['PATH']}"
    done = subprocess.run(
        [python.parent / "sam", command, "--config-env", "local", *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


@pytest.fixture(scope="module")
def published(stacks: list[Deployed]) -> Callable[[], list[tuple[str, dict[str, Any]]]]:
    """All events that Darkroom published: the region of the bus, and the event."""
    queues: dict[str, tuple[Any, str]] = {}
    found: list[tuple[str, dict[str, Any]]] = []
    for stack in stacks:
        if stack.region in queues:
            continue
        url = stack.cloud.queues.create_queue(QueueName="published")["QueueUrl"]
        arn = stack.cloud.queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        stack.cloud.events.put_rule(Name="published", EventPattern=json.dumps({"source": ["darkroom"]}))
        stack.cloud.events.put_targets(Rule="published", Targets=[{"Id": "published", "Arn": arn}])
        queues[stack.region] = stack.cloud.queues, url

    def receive() -> list[tuple[str, dict[str, Any]]]:
        for region, (client, url) in queues.items():
            for message in client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
                found.append((region, json.loads(message["Body"])))
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    return receive


def photograph(shade: int) -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").point(lambda value: (value + shade) % 256).save(buffer, "PNG")
    return buffer.getvalue()


def test_each_stack_keeps_to_its_own_events(
    stacks: list[Deployed], published: Callable[[], list[tuple[str, dict[str, Any]]]], tmp_path: Path
) -> None:
    for number, stack in enumerate(stacks):
        bucket = stack.outputs["UploadsBucketName"]
        stack.cloud.s3.put_object(Bucket=bucket, Key=stack.key, Body=photograph(40 * number))

    def analysed() -> bool:
        seen = {
            (region, event["detail"]["key"]) for region, event in published() if event["detail-type"] == "ImageAnalysed"
        }
        return seen >= {(stack.region, stack.key) for stack in stacks}

    wait_until(analysed, lambda: f"three images are analysed: {published()}", WITHIN_S, every_s=1)

    def idle() -> bool:
        names = ("IngestQueueUrl", "InferQueueUrl", "InferPriorityQueueUrl", "PurgeQueueUrl")
        counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        attributes = [
            stack.cloud.queues.get_queue_attributes(QueueUrl=stack.outputs[name], AttributeNames=list(counts))[
                "Attributes"
            ]
            for stack in stacks
            for name in names
        ]
        return not any(int(one[count]) for one in attributes for count in counts)

    wait_until(idle, "no queue has a message", WITHIN_S, every_s=1)

    events = published()
    assert {(region, event["detail"]["stack"], event["detail"]["key"]) for region, event in events} == {
        (stack.region, stack.name, stack.key) for stack in stacks
    }
    assert [found for _, event in events if (found := complaints(event["detail-type"], event["detail"]))] == []
    for stack in stacks:
        assert {event["region"] for region, event in events if event["detail"]["key"] == stack.key} == {stack.region}
        assert set(stack.index()) == {stack.key}
        others = [other.key for other in stacks if other is not stack]
        assert not [key for key in stack.objects() if any(other in key for other in others)]
        assert f"findings/1/{stack.key}.json" in stack.objects()
        # The other stacks' images would not be found in this one: it is the attempt that must not be made.
        for function in ("ingest", "infer", "purge"):
            log = stack.log(function)
            assert stack.key in log or function == "purge"
            assert not [other for other in others if other in log]
