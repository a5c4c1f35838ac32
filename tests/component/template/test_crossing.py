"""The template's rules and queues, deployed as two stacks of one region and one of the same name in another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from darkroom_pipeline.aws.eventbridge import EventBus

from .stack import template

KINDS = {"AWS::Events::Rule", "AWS::SQS::Queue", "AWS::SQS::QueuePolicy"}
STACKS = (("first", "us-east-1"), ("second", "us-east-1"), ("first", "eu-central-1"))
ANNOUNCED = {
    ("ImageReady", False): "InferQueue",
    ("ImageReady", True): "InferPriorityQueue",
    ("ImageRemoved", False): "InferQueue",
    ("ImageHeld", True): "InferPriorityQueue",
    ("ImageAnalysed", False): "",
}
"""The queue that each event is to reach."""


def part() -> str:
    """Resources of the template that handle events of inference."""
    document = template()
    resources = {
        logical_id: resource
        for logical_id, resource in document["Resources"].items()
        if resource["Type"] in KINDS and resource.get("Condition") == "HasInference"
    }
    kept = {name: document[name] for name in ("AWSTemplateFormatVersion", "Mappings")}
    return json.dumps(
        kept
        | {
            "Parameters": {
                "InferenceMode": document["Parameters"]["InferenceMode"] | {"Default": "lambda"},
                "Size": document["Parameters"]["Size"],
            },
            "Conditions": {"HasInference": document["Conditions"]["HasInference"]},
            "Resources": resources,
        }
    )


class Deployed:
    """One of the stacks."""

    def __init__(self, name: str, region: str, url: str) -> None:
        self.name, self.region = name, region
        session = boto3.Session("test", "test", region_name=region)
        self.sqs = session.client("sqs", endpoint_url=url)
        self.bus = EventBus(session.client("events", endpoint_url=url), "default", name)
        client = session.client("cloudformation", endpoint_url=url)
        client.create_stack(StackName=name, TemplateBody=part())
        client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
        found = client.describe_stack_resources(StackName=name)["StackResources"]
        self.queues = {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for one in found
            if one["ResourceType"] == "AWS::SQS::Queue"
        }

    def receive(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Queues and the events that are in them."""
        for name, url in self.queues.items():
            while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
                for message in messages:
                    yield name, json.loads(message["Body"])
                    self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


@pytest.fixture(scope="module")
def stacks(ministack_url: str) -> list[Deployed]:
    return [Deployed(name, region, ministack_url) for name, region in STACKS]


@pytest.mark.slow
def test_events_reach_the_queues_of_their_own_stack_and_region(stacks: list[Deployed]) -> None:
    for stack in stacks:
        for detail_type, priority in ANNOUNCED:
            stack.bus.publish(detail_type, {"key": f"{stack.name} in {stack.region}", "priority": priority})
    expected = sorted((queue, *announced) for announced, queue in ANNOUNCED.items() if queue)
    for stack in stacks:
        received = list(stack.receive())
        assert {event["detail"]["key"] for _, event in received} == {f"{stack.name} in {stack.region}"}
        assert {(event["region"], event["detail"]["stack"]) for _, event in received} == {(stack.region, stack.name)}
        assert (
            sorted((queue, event["detail-type"], event["detail"]["priority"]) for queue, event in received) == expected
        )
