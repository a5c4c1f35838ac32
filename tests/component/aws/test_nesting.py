"""Nested stacks in MiniStack: parameters, outputs, updates, failures and deletions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from local.aws import Cloud
from local.cfn_resolver import describe_resources, list_stacks, read_nested_template
from tests.waiting import wait_until

type Template = dict[str, Any]

SECOND = {"Second": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "${Prefix}-second"}}}}
IMPOSSIBLE = {"Third": {"Type": "AWS::Nothing::AtAll", "DependsOn": "First"}}


def child(*, retain: bool = False, **more: Any) -> Template:
    """A queue with its name as a parameter and as an output."""
    queue: Template = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "${Prefix}-first"}}}
    return {
        "Parameters": {"Prefix": {"Type": "String"}},
        "Resources": {"First": queue | ({"DeletionPolicy": "Retain"} if retain else {}), **more},
        "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["First", "QueueName"]}}},
    }


@dataclass(frozen=True)
class Stacks:
    """Deploys a parent with one nested stack; ``name`` is its name and the prefix of queues."""

    cloudformation: Any
    s3: Any
    sqs: Any
    name: str

    def deploy(self, template: Template, action: str = "create_stack") -> str:
        """Create or update the stack, and return its last status."""
        key = f"{uuid4().hex}.template"
        self.s3.put_object(Bucket=self.name, Key=key, Body=json.dumps(template))
        nested: Template = {
            "Type": "AWS::CloudFormation::Stack",
            "Properties": {
                "TemplateURL": f"https://s3.us-east-1.amazonaws.com/{self.name}/{key}",
                "Parameters": {"Prefix": {"Ref": "AWS::StackName"}},
            },
        }
        parent = {
            "Resources": {"Nested": nested},
            "Outputs": {"Found": {"Value": {"Fn::GetAtt": ["Nested", "Outputs.Name"]}}},
        }
        getattr(self.cloudformation, action)(StackName=self.name, TemplateBody=json.dumps(parent))
        return self.settled()

    def settled(self) -> str:
        wait_until(lambda: "IN_PROGRESS" not in self.described()["StackStatus"], "the deployment goes on")
        return str(self.described()["StackStatus"])

    def described(self, name: str = "") -> Any:
        return self.cloudformation.describe_stacks(StackName=name or self.name)["Stacks"][0]

    def child_id(self) -> str:
        [nested] = self.cloudformation.describe_stack_resources(StackName=self.name)["StackResources"]
        return str(nested["PhysicalResourceId"])

    def queues(self) -> set[str]:
        found = self.sqs.list_queues(QueueNamePrefix=self.name).get("QueueUrls", [])
        return {url.rpartition("/")[2].removeprefix(f"{self.name}-") for url in found}


@pytest.fixture
def stacks(aws: Callable[[str], Any]) -> Iterator[Stacks]:
    name = f"nesting-{uuid4().hex[:8]}"
    made = Stacks(aws("cloudformation"), aws("s3"), aws("sqs"), name)
    made.s3.create_bucket(Bucket=name)
    yield made
    made.cloudformation.delete_stack(StackName=name)


def test_a_child_gets_parameters_and_returns_outputs(stacks: Stacks) -> None:
    assert stacks.deploy(child()) == "CREATE_COMPLETE"
    nested = stacks.described(stacks.child_id())
    assert nested["StackName"].startswith(f"{stacks.name}-Nested-")
    assert stacks.described()["Outputs"][0]["OutputValue"] == f"{stacks.name}-first"
    assert stacks.queues() == {"first"}


def test_an_update_adds_and_removes_what_the_child_declares(stacks: Stacks) -> None:
    stacks.deploy(child())
    before = stacks.child_id()
    status = stacks.deploy(child(**SECOND), "update_stack")
    assert status == "UPDATE_COMPLETE"
    assert stacks.queues() == {"first", "second"}
    assert stacks.child_id() == before
    stacks.deploy(child(), "update_stack")
    assert stacks.queues() == {"first"}


def test_a_failed_child_fails_its_parent_and_leaves_nothing(stacks: Stacks) -> None:
    assert stacks.deploy(child(**IMPOSSIBLE)) == "ROLLBACK_COMPLETE"
    assert stacks.queues() == set()
    events = stacks.cloudformation.describe_stack_events(StackName=stacks.name)["StackEvents"]
    reasons = " ".join(event.get("ResourceStatusReason", "") for event in events)
    assert "Resource Third failed: Unsupported resource type: AWS::Nothing::AtAll" in reasons


def test_a_failed_update_goes_back(stacks: Stacks) -> None:
    stacks.deploy(child())
    assert stacks.deploy(child(**IMPOSSIBLE), "update_stack") == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.queues() == {"first"}


def test_deletion_spares_what_is_retained(stacks: Stacks) -> None:
    stacks.deploy(child(retain=True, **SECOND))
    nested = stacks.child_id()
    stacks.cloudformation.delete_stack(StackName=stacks.name)
    wait_until(lambda: stacks.described(nested)["StackStatus"] == "DELETE_COMPLETE", "the child is not deleted")
    assert stacks.queues() == {"first"}


@pytest.mark.slow
def test_a_childs_template_is_transformed(stacks: Stacks) -> None:
    table = {"Type": "AWS::Serverless::SimpleTable", "Properties": {"TableName": stacks.name}}
    template = child(Table=table) | {"Transform": "AWS::Serverless-2016-10-31"}
    assert stacks.deploy(template) == "CREATE_COMPLETE"
    resources = stacks.cloudformation.describe_stack_resources(StackName=stacks.child_id())["StackResources"]
    assert "AWS::DynamoDB::Table" in {one["ResourceType"] for one in resources}


def test_what_is_deployed_is_read_back_with_its_children(stacks: Stacks, ministack_url: str) -> None:
    stacks.deploy(child())
    cloud = Cloud(ministack_url)
    parent, nested = list_stacks(cloud, stacks.name)
    assert [one["LogicalResourceId"] for one in describe_resources(cloud, stacks.name)] == ["Nested", "First"]
    assert parent.resolver.resolve({"Fn::GetAtt": ["Nested", "Outputs.Name"]}) == f"{stacks.name}-first"
    assert nested.resources[0].property("QueueName") == f"{stacks.name}-first"
    assert nested.resolver.resolve({"Ref": "AWS::StackName"}) == nested.name
    assert read_nested_template(cloud, parent.resources[0].property("TemplateURL")) == child()
