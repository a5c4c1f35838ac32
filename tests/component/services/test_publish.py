"""The publish function as a custom resource in MiniStack: creation, updates, failures, rollback, deletion.

Its code runs as deployed, with a role that is enforced.
"""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from darkroom.services.live_settings import CURRENT
from darkroom.settings import parse_settings
from darkroom_pipeline.aws.custom_resource import SPARE_S
from darkroom_pipeline.aws.edge_store import SERVICE, EdgeStore, connect_edge_store
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.experiments.runs import Decision, Decisions, RunStore
from darkroom_pipeline.experiments.statistics import Bounds
from darkroom_pipeline.services.edge_publication import entries_of
from local.paths import ROOT
from tests.component.aws.faulty import HANG, answering
from tests.roles import create_role
from tests.waiting import wait_until

LAYER = ROOT / "layers" / "darkroom"
PIPELINE = ROOT / "layers" / "pipeline"
PACKAGES = Path(boto3.__file__).parents[1]
TIMEOUT_S = int(SPARE_S) + 6

SIGNING_KEYS = ("the newer signing key", "the older signing key")

type Template = dict[str, Any]

MISSING = {"ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:missing"}
IMPOSSIBLE = {"Later": {"Type": "Custom::Nothing", "DependsOn": "EdgeEntries", "Properties": MISSING}}
"""A resource that fails after the entries are published."""


@dataclass
class Deployment:
    """A stack with the function and its custom resource. ``layer`` is the release's folder of the package."""

    aws: Callable[[str], Any]
    name: str
    store: EdgeStore
    media: S3Bucket
    role: str
    secret: str
    layer: Path = LAYER
    variables: dict[str, str] = field(default_factory=dict)

    def deploy(self, release: str, *, more: Template | None = None) -> str:
        """Create the stack, or update it; return its last status."""
        self._put_code()
        cloudformation = self.aws("cloudformation")
        template = json.dumps({"Resources": self._resources(release) | (more or {})})
        exists = any(one["StackName"] == self.name for one in cloudformation.describe_stacks()["Stacks"])
        deploy = cloudformation.update_stack if exists else cloudformation.create_stack
        deploy(StackName=self.name, TemplateBody=template)
        return self.settled()

    def settled(self) -> str:
        def status() -> str:
            found = self.aws("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"]
            return "" if found.endswith("IN_PROGRESS") else str(found)

        return str(wait_until(status, "the deployment goes on"))

    def reasons(self) -> list[str]:
        """Why the custom resource failed, the newest first."""
        events = self.aws("cloudformation").describe_stack_events(StackName=self.name)["StackEvents"]
        return [
            one["ResourceStatusReason"]
            for one in events
            if one["LogicalResourceId"] == "EdgeEntries" and one["ResourceStatus"].endswith("FAILED")
        ]

    def write(self, settings: Mapping[str, Any] | None) -> None:
        """Write a settings document; an invalid one for None."""
        body = b"?" if settings is None else json.dumps({"settings": settings}).encode()
        self.aws("s3").put_object(Bucket=self.media.bucket, Key=CURRENT, Body=body)

    def _put_code(self) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.write(ROOT / "functions" / "publish" / "app.py", "app.py")
        self.aws("s3").put_object(Bucket=self.media.bucket, Key="code.zip", Body=archive.getvalue())

    def _resources(self, release: str) -> Template:
        variables = {
            "PYTHONPATH": f"{self.layer}:{PIPELINE}:{PACKAGES}",
            "MEDIA_BUCKET": self.media.bucket,
            "EDGE_STORE_ARN": self.store.arn,
            "SIGNING_KEYS_ARN": self.secret,
            "POWERTOOLS_SERVICE_NAME": "publish",
            "POWERTOOLS_METRICS_NAMESPACE": "Darkroom/stack",
            **self.variables,
        }
        function = {
            "Runtime": "python3.13",
            "Handler": "app.handler",
            "Role": self.role,
            "Timeout": TIMEOUT_S,
            "Code": {"S3Bucket": self.media.bucket, "S3Key": "code.zip"},
            "Environment": {"Variables": variables},
        }
        entries = {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}, "ServiceTimeout": 60, "Release": release}
        return {
            "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
            "EdgeEntries": {"Type": "Custom::EdgeEntries", "Properties": entries},
        }


@pytest.fixture
def make(aws: Callable[[str], Any], aws_environment: dict[str, str]) -> Iterator[Callable[..., Deployment]]:
    """Make a deployment whose function's role may do these actions on the store."""
    made: list[Deployment] = []

    def build(*actions: str) -> Deployment:
        name = f"publish-{uuid4().hex[:8]}"
        s3 = aws("s3")
        s3.create_bucket(Bucket=name)
        arn = aws("cloudfront").create_key_value_store(Name=name)["KeyValueStore"]["ARN"]
        chosen = actions or ("DescribeKeyValueStore", "ListKeys", "UpdateKeys")
        grants = [(f"{SERVICE}:{action}", arn) for action in chosen]
        grants += [("s3:GetObject", f"arn:aws:s3:::{name}/*"), ("s3:ListBucket", f"arn:aws:s3:::{name}")]
        keys = json.dumps(dict(zip(("current", "previous"), SIGNING_KEYS, strict=True)))
        secret = str(aws("secretsmanager").create_secret(Name=name, SecretString=keys)["ARN"])
        grants += [("secretsmanager:GetSecretValue", secret)]
        grants += [("cloudformation:DescribeStacks", f"arn:aws:cloudformation:us-east-1:000000000000:stack/{name}/*")]
        role = create_role(aws("iam"), {"Service": "lambda.amazonaws.com"}, grants)
        made.append(Deployment(aws, name, connect_edge_store(arn, aws_environment), S3Bucket(s3, name), role, secret))
        return made[-1]

    yield build
    for one in made:
        aws("cloudformation").delete_stack(StackName=one.name)


def release(folder: Path, preset: str) -> Path:
    """A copy of the package with another default preset."""
    copied = folder / preset
    shutil.copytree(LAYER / "darkroom", copied / "darkroom")
    presets = copied / "darkroom" / "presets.toml"
    presets.write_text(f"{presets.read_text(encoding='utf-8')}\n[presets.{preset}]\nw = 123\n", encoding="utf-8")
    return copied


def test_a_deployment_publishes_the_entries_of_the_settings_in_force(make: Callable[..., Deployment]) -> None:
    deployment = make()
    assert deployment.deploy("1") == "CREATE_COMPLETE"
    assert deployment.store.read() == entries_of(parse_settings({}))
    [resource] = deployment.aws("cloudformation").describe_stack_resources(
        StackName=deployment.name, LogicalResourceId="EdgeEntries"
    )["StackResources"]
    assert resource["PhysicalResourceId"] == deployment.store.arn

    table: dict[str, Any] = {"access_mode": "signed", "presets": {"tiny": {"w": 16}}, "private_prefixes": ["clients/"]}
    table |= {"always_redact": {"people/": "faces"}}
    deployment.write(table)
    deployment.store.update({"findings": "2"}, ["refusal-expired"])
    assert deployment.deploy("2") == "UPDATE_COMPLETE"
    held = deployment.store.read()
    assert held == {**entries_of(parse_settings(table), read_keys=lambda: SIGNING_KEYS), "findings": "2"}
    assert json.loads(held["keys"]) == list(SIGNING_KEYS)


def test_a_variant_that_was_stopped_stays_stopped(make: Callable[..., Deployment]) -> None:
    deployment = make()
    table = {
        "presets": {"wide": {"w": 320}, "tall": {"h": 320}},
        "experiments": {"hero": {"variants": {"wide": 1, "tall": 1}}},
    }
    deployment.write(table)
    [hero] = parse_settings(table).experiments
    made = Decision("wide", "tall", 1.0, Bounds(0.5, 0.9), {})
    RunStore(deployment.media).write_decisions(hero, Decisions((made,), done=1))
    assert deployment.deploy("1") == "CREATE_COMPLETE"
    assert deployment.store.read()["exp-hero"] == hero.format_entry(["wide"])


@pytest.mark.slow
def test_a_release_that_fails_later_leaves_the_entries_of_the_one_before(
    make: Callable[..., Deployment], tmp_path: Path
) -> None:
    deployment = make()
    deployment.layer = release(tmp_path, "former")
    assert deployment.deploy("1") == "CREATE_COMPLETE"
    before = deployment.store.read()
    assert "preset-former" in before
    deployment.layer = release(tmp_path, "later")
    assert deployment.deploy("2", more=IMPOSSIBLE) == "UPDATE_ROLLBACK_COMPLETE"
    assert deployment.store.read() == before
    events = deployment.aws("cloudformation").describe_stack_events(StackName=deployment.name)["StackEvents"]
    statuses = [one["ResourceStatus"] for one in events if one["LogicalResourceId"] == "EdgeEntries"]
    assert statuses.count("UPDATE_COMPLETE") == 2, "there and back"
    assert deployment.deploy("2") == "UPDATE_COMPLETE"
    assert {"preset-later", "preset-former"} & set(deployment.store.read()) == {"preset-later"}


def test_settings_that_a_release_cannot_read_fail_it(make: Callable[..., Deployment]) -> None:
    deployment = make()
    assert deployment.deploy("1") == "CREATE_COMPLETE"
    before = deployment.store.read()
    deployment.write(None)
    assert deployment.deploy("2") == "UPDATE_ROLLBACK_COMPLETE"
    [reason] = deployment.reasons()
    assert "InvalidSettings: settings/current.json is not valid. Put another version in force" in reason
    assert "the document is not a JSON object" in reason
    assert deployment.store.read() == before


def test_what_the_role_does_not_allow_is_the_reason(make: Callable[..., Deployment]) -> None:
    deployment = make("DescribeKeyValueStore", "ListKeys")
    assert deployment.deploy("1") == "ROLLBACK_COMPLETE"
    [reason] = deployment.reasons()
    assert "Unavailable" in reason
    assert "UpdateKeys" in reason
    assert "AccessDenied" in reason
    assert deployment.store.read() == {}


@pytest.mark.slow
def test_a_store_that_hangs_is_reported_before_the_function_ends(make: Callable[..., Deployment]) -> None:
    deployment = make()
    with answering(HANG) as server:
        deployment.variables = {"AWS_ENDPOINT_URL_CLOUDFRONT_KEYVALUESTORE": server.url}
        assert deployment.deploy("1") == "ROLLBACK_COMPLETE"
    [reason] = deployment.reasons()
    assert "It was not done within" in reason


def test_deletion_leaves_the_entries(make: Callable[..., Deployment]) -> None:
    deployment = make()
    assert deployment.deploy("1") == "CREATE_COMPLETE"
    before = deployment.store.read()
    cloudformation = deployment.aws("cloudformation")
    cloudformation.delete_stack(StackName=deployment.name)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=deployment.name, WaiterConfig={"Delay": 1})
    assert deployment.store.read() == before
