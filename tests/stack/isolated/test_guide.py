"""The shell blocks of docs/getting-started/deploy.md, and those that deploy further stacks, in a clean checkout and
with another region configured than that of the guides; and both sets of alarms."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from darkroom.settings import DEFAULTS
from darkroom_pipeline.services.edge_publication import entries_of
from extensions import list_extensions
from local import tool_venvs
from local.aws import Cloud, tool_environment
from local.cfn_resolver import describe_resources
from local.ministack import MiniStack
from local.paths import ROOT, Ports, StackPaths, architecture
from local.ports import find_free_ports
from local.progress import Progress
from tests.guide import adapt, in_order, read_blocks, read_deployment, variables
from tests.images.photographs import jpeg_photo

METRIC_ALARM, COMPOSITE_ALARM = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"
DASHBOARD, SUBSCRIPTION = "AWS::CloudWatch::Dashboard", "AWS::CloudFront::MonitoringSubscription"
STACK = "darkroom"


REGION = "eu-central-1"
"""The region that the commands of the guides name."""

CONFIGURED = "eu-west-3"
"""The region of the reader's profile."""

WITHIN_S = 1200.0
"""A limit that detects a hang."""

WITH_SIMILARITY = "SimilarityStore=table"
"""A parameter of the first stack that the guide of an extension asks for."""


@dataclass(frozen=True)
class Guide:
    """A checkout with the tracked files only, and an engine without stacks.

    ``reader`` is the folder with a reader's programs, AWS configuration and shell state.
    """

    checkout: Path
    cloud: Cloud
    reader: Path

    def environment(self) -> dict[str, str]:
        """The keys and the address of docs/getting-started/local-stack.md without its region, a profile with another
        region, and the environment of the SAM CLI, which the guide activates."""
        environment = tool_environment(self.cloud.endpoint_url.replace("127.0.0.1", "localhost"))
        del environment["AWS_DEFAULT_REGION"], environment["AWS_REGION"]
        environment["AWS_CONFIG_FILE"] = str(self.reader / "config")
        programs = (str(tool_venvs.python_path("sam").parent), str(self.reader), environment["PATH"])
        return environment | {"PATH": ":".join(programs), "AWS_PAGER": ""}

    def shell(self, block: str, *, keep: set[str] | frozenset[str] = frozenset(), **variables: str) -> str:
        """Run ``block`` with confirmations; return its output. The variables ``keep`` are passed to the next block.

        ``variables`` are of this block's environment.
        """
        held = self.reader / "shell"
        values = f"; declare -p {' '.join(sorted(keep))} 2> /dev/null" if keep else ""
        save = f"{{ declare -f{values}; }} > {held} || true"
        script = f"set -e\n[ ! -f {held} ] || . {held}\ntrap '{save}' EXIT\n{block}"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.checkout,
            env=self.environment() | variables,
            input="y\n" * 9,
            capture_output=True,
            text=True,
            check=False,
            timeout=WITHIN_S,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout + done.stderr

    def sam(self, *arguments: str) -> None:
        """Run the SAM CLI."""
        self.shell(" ".join(["sam", *arguments]))

    def made(self, kind: str) -> set[str]:
        """Physical ids of the resources of a kind in the stack and its nested stacks."""
        every = describe_resources(self.cloud, STACK)
        return {one["PhysicalResourceId"] for one in every if one["ResourceType"] == kind}

    def alarms(self, kind: str) -> dict[str, dict[str, Any]]:
        """Alarms that CloudWatch has, by name."""
        pages = self.cloud.metrics.get_paginator("describe_alarms").paginate(AlarmTypes=[kind])
        return {one["AlarmName"]: one for page in pages for one in page[f"{kind}s"]}

    def check(self) -> None:
        """Compare the alarms of CloudWatch with those that CloudFormation reports."""
        assert set(self.alarms("MetricAlarm")) == self.made(METRIC_ALARM)
        assert set(self.alarms("CompositeAlarm")) == self.made(COMPOSITE_ALARM)
        dashboards = self.cloud.metrics.list_dashboards()["DashboardEntries"]
        assert {one["DashboardName"] for one in dashboards} == self.made(DASHBOARD)


def reader(folder: Path) -> Path:
    """Fill the folder of a reader: version 1 of the AWS CLI, and a region."""
    (folder / "config").write_text(f"[default]\nregion = {CONFIGURED}\n")
    (folder / "aws").symlink_to(ROOT / ".venv" / "bin" / "aws")
    return folder


def list_resources(endpoint_url: str, region: str) -> set[str]:
    """Return names of what a region has: stacks, functions, queues, tables, secrets, topics, alarms, log groups, rules
    and APIs; and buckets that are there."""
    session = boto3.Session("test", "test", region_name=region)

    def ask(service: str, operation: str, found: str, name: str = "") -> set[str]:
        client = session.client(service, endpoint_url=endpoint_url)  # type: ignore[call-overload]
        pages = (
            client.get_paginator(operation).paginate()
            if client.can_paginate(operation)
            else [getattr(client, operation)()]
        )
        return {f"{service} {one[name] if name else one}" for page in pages for one in page.get(found, [])}

    s3 = session.client("s3", endpoint_url=endpoint_url)
    located = {one: s3.get_bucket_location(Bucket=one)["LocationConstraint"] for one in _bucket_names(s3)}
    return {
        *ask("cloudformation", "describe_stacks", "Stacks", "StackName"),
        *ask("lambda", "list_functions", "Functions", "FunctionName"),
        *ask("sqs", "list_queues", "QueueUrls"),
        *ask("dynamodb", "list_tables", "TableNames"),
        *ask("secretsmanager", "list_secrets", "SecretList", "Name"),
        *ask("sns", "list_topics", "Topics", "TopicArn"),
        *ask("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        *ask("logs", "describe_log_groups", "logGroups", "logGroupName"),
        *ask("events", "list_rules", "Rules", "Name"),
        *ask("apigatewayv2", "get_apis", "Items", "Name"),
        *(f"s3 {name}" for name, at in located.items() if at == region),
    }


def _bucket_names(s3: Any) -> list[str]:
    return [one["Name"] for one in s3.list_buckets()["Buckets"]]


@pytest.fixture(scope="module")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guide]:
    asyncio.run(tool_venvs.ensure(Progress()))
    checkout = tmp_path_factory.mktemp("checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, checkout / name, follow_symlinks=False)
    (checkout / ".venv").symlink_to(ROOT / ".venv")
    cdn, aws = find_free_ports(2)
    ports = Ports(cdn=cdn, aws=aws)
    ministack = MiniStack(StackPaths(tmp_path_factory.mktemp("guide")), ports)
    asyncio.run(ministack.start())
    cloud = Cloud(ports.aws_url, REGION)
    where: Any = {"LocationConstraint": REGION}  # of the reader's own bucket, which the guide serves by SourceBucket
    cloud.s3.create_bucket(Bucket="my-photos", CreateBucketConfiguration=where)
    yield Guide(checkout, cloud, reader(tmp_path_factory.mktemp("reader")))
    asyncio.run(ministack.stop())


def test_the_guide_is_followed_from_the_top(guide: Guide) -> None:
    """Every block runs; tests/guide.py lists the lines that run otherwise or not at all."""
    (guide.checkout / "photo.jpg").write_bytes(jpeg_photo((640, 480)))
    (guide.checkout / "keys.txt").write_text("photo.jpg\n")
    blocks = read_blocks()
    for block in in_order(blocks):
        guide.shell(adapt(block), keep=variables(blocks))
    swept = json.loads((guide.checkout / "swept.json").read_text())
    assert "errorMessage" not in swept, swept
    checks = json.loads((guide.checkout / "doctor.json").read_text())["checks"]
    assert [one["name"] for one in checks if one["outcome"] == "problem"] == ["cdn"], checks
    assert guide.alarms("MetricAlarm") == guide.alarms("CompositeAlarm") == {}
    assert guide.cloud.dynamodb.list_tables()["TableNames"] == []
    buckets = {bucket["Name"] for bucket in guide.cloud.s3.list_buckets()["Buckets"]}
    assert not {name for name in buckets if name.startswith(f"{STACK}-")}
    assert list_resources(guide.cloud.endpoint_url, CONFIGURED) == set()


def test_the_defaults_and_all_alarms_are_deployed_and_deleted(guide: Guide) -> None:
    guide.sam("build")
    guide.sam("deploy", "--region", REGION)
    guide.check()
    arn = guide.cloud.read_outputs(STACK)["FindingsStoreArn"]
    assert guide.cloud.edge_store(arn).read() == entries_of(DEFAULTS)
    essential = guide.alarms("MetricAlarm")
    assert essential
    assert any("Metrics" in one for one in essential.values())

    guide.sam("deploy", "--region", REGION, "--parameter-overrides", "Alarms=all")
    guide.check()
    assert set(essential) < set(guide.alarms("MetricAlarm"))
    [distribution] = guide.made(SUBSCRIPTION)
    subscription = guide.cloud.cloudfront.get_monitoring_subscription(DistributionId=distribution)
    config = subscription["MonitoringSubscription"]["RealtimeMetricsSubscriptionConfig"]
    assert config == {"RealtimeMetricsSubscriptionStatus": "Enabled"}

    guide.sam("deploy", "--region", REGION, "--parameter-overrides", "Alarms=essential")
    guide.check()
    assert set(essential) == set(guide.alarms("MetricAlarm"))

    guide.cloud.cloudformation.delete_stack(StackName=STACK)
    waiter = guide.cloud.cloudformation.get_waiter("stack_delete_complete")
    waiter.wait(StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert guide.alarms("MetricAlarm") == guide.alarms("CompositeAlarm") == {}


def make_deployer(guide: Guide) -> dict[str, str]:
    """The keys of a new user who may do what `./darkroom policy` allows, and nothing else.

    The guide, which is followed before, has made policies of the files' own names.
    """
    options = " ".join(f"--further {one.flag}" for one in list_extensions())
    guide.shell(f"./darkroom policy --region {REGION} --account 000000000000 {options} --to policies {WITH_SIMILARITY}")
    iam: Any = boto3.client("iam", REGION, None, True, None, guide.cloud.endpoint_url, "test", "test")
    iam.create_user(UserName="deployer")
    for file in sorted((guide.checkout / "policies").iterdir()):
        made = iam.create_policy(PolicyName=f"deployer-{file.stem}", PolicyDocument=file.read_text(encoding="utf-8"))
        iam.attach_user_policy(UserName="deployer", PolicyArn=made["Policy"]["Arn"])
    key = iam.create_access_key(UserName="deployer")["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def test_further_stacks_are_created_in_the_region_that_their_guides_name(guide: Guide) -> None:
    """Their commands, for this machine's processor, by a principal with the deployer's policies."""
    arch, keys = architecture(), make_deployer(guide)
    guide.shell(f"ARCH={arch} sam build --parameter-overrides Arch={arch}")
    overrides = f"Arch={arch} Alarms=off {WITH_SIMILARITY}"
    guide.shell(f"sam deploy --region {REGION} --parameter-overrides {overrides}", **keys)
    for one in list_extensions():
        guide.shell(read_deployment(one.guide), ARCH=arch, **keys)
    assert list_resources(guide.cloud.endpoint_url, CONFIGURED) == set()
    there = list_resources(guide.cloud.endpoint_url, REGION)
    assert {f"cloudformation {STACK}", *(f"cloudformation {STACK}-{one.flag}" for one in list_extensions())} <= there
    outputs = [guide.cloud.read_outputs(f"{STACK}-{one.flag}") for one in list_extensions()]
    buckets = {value for one in outputs for name, value in one.items() if name.endswith("BucketName")}
    assert {f"s3 {name}" for name in buckets} <= there
