"""What holds for every stack beside that of template.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .stack import PSEUDO, ROOT, TEMPLATE, Stack, template
from .test_permissions import KEY, granted, statements
from .test_tags import OF_SAM, tag_property

OWN_SOURCE = {"SourceBucket": "photos", "SourcePrefix": "originals/", "KmsKeyArn": KEY}


def check_parameters(source: Path, given: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    """Check that ``given`` has each parameter of a template without a default, and that the first stack has outputs."""
    declared = template(source)["Parameters"]
    assert {name for name, one in declared.items() if "Default" not in one} <= given.keys() <= declared.keys()
    assert outputs.keys() <= template(TEMPLATE)["Outputs"].keys()


def read_own_source(stack: Stack, function: str) -> dict[str, Any]:
    """Check that ``function`` of ``stack``, which has OWN_SOURCE, reads masters there; return its use of the key."""
    found = granted(stack, function)
    assert "arn:aws:s3:::photos/originals/*" in found["s3:GetObject"]
    assert "arn:aws:s3:::media/masters/*" not in found["s3:GetObject"]
    assert "arn:aws:s3:::photos" in found["s3:ListBucket"]
    [uses] = [one for one in statements(stack, function) if one["Sid"] == "UseKey"]
    assert uses["Resource"] == KEY
    return dict(uses)


def find_route(stack: Stack, path: str) -> str:
    """Check that only the API of the first stack invokes the function, below ``path``; return the key of the route."""
    [permission] = stack.of_type("AWS::Lambda::Permission").values()
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["SourceArn"] == f"arn:aws:execute-api:eu-central-1:111122223333:a1b2c3/*/*{path}*"
    [route] = stack.of_type("AWS::ApiGatewayV2::Route").values()
    assert route["ApiId"] == "a1b2c3"
    return str(route["RouteKey"])


def list_untagged(stack: Stack) -> list[str]:
    """Return the logical ids of resources that could be tagged with the name of the first stack, and are not."""
    untagged = []
    for logical_id, resource in stack.resources.items():
        if resource["Type"] in OF_SAM - {"AWS::IAM::Role"} or (place := tag_property(resource["Type"])) is None:
            continue
        name, kind = place
        tags = resource.get("Properties", {}).get(name, {})
        found = tags if kind == "object" else {tag["Key"]: tag["Value"] for tag in tags}
        if found.get("darkroom") != "darkroom":
            untagged.append(logical_id)
    return untagged


def find_behaviour(pattern: str, **parameters: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the cache behaviour of ``pattern`` in the template's distribution, and its origin: the HTTP API."""
    config = Stack(**parameters).properties("Distribution")["DistributionConfig"]
    [found] = [one for one in config["CacheBehaviors"] if one["PathPattern"] == pattern]
    [origin] = [one for one in config["Origins"] if one["Id"] == found["TargetOriginId"]]
    assert origin["DomainName"] == "<UploadApi>.execute-api.eu-central-1.amazonaws.com"
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    return dict(found), dict(origin)


def check_dead_letters_alarm(stack: Stack, queue: str) -> None:
    """Check that a message in ``queue`` alarms the first stack's topic of tickets."""
    every = stack.of_type("AWS::CloudWatch::Alarm").values()
    [alarm] = [one for one in every if str(one["AlarmName"]).endswith("-dead-letters")]
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": f"<{queue}.QueueName>"}]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    assert alarm["AlarmActions"] == ["arn:aws:sns:eu-central-1:111122223333:darkroom-tickets"]
    assert Stack().properties("TicketTopic")["TopicName"] == f"{PSEUDO['AWS::StackName']}-tickets"
    guide = ROOT / re.findall(r"\S+\.md", alarm["AlarmDescription"])[0]
    section = alarm["AlarmDescription"].split("section ")[1].removesuffix(".")
    assert f"## {section}\n" in guide.read_text()
