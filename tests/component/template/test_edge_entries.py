"""The custom resource that publishes the edge's entries: what a deployment calls it for, and how long it may take."""

from __future__ import annotations

from typing import Any

import pytest

from darkroom_pipeline.aws.custom_resource import SPARE_S

from .stack import Stack

RETRY_AFTER_S = 60
"""Lambda's wait before the first retry of an asynchronous invocation (Lambda developer guide, "How Lambda handles
errors and retries with asynchronous invocation")."""


def entries(**parameters: str) -> dict[str, Any]:
    return Stack(**parameters).properties("EdgeEntries")


def test_another_release_publishes() -> None:
    """A layer's version is another resource with another content: SAM appends a hash."""
    layers = Stack().properties("PublishFunction")["Layers"]
    assert entries()["Release"] == " ".join(layers)
    assert [layer[: layer.index("Layer")] for layer in layers] == ["<Darkroom", "<Pipeline"]


@pytest.mark.parametrize(
    "parameters",
    [{"InferenceMode": "lambda"}, {"Dialects": "on"}, {"Refine": "off"}, {"AccessLogDays": "30"}],
    ids=lambda parameters: next(iter(parameters)),
)
def test_parameters_that_settings_refer_to_publish(parameters: dict[str, str]) -> None:
    assert entries(**parameters) != entries()


def test_other_parameters_do_not() -> None:
    assert entries(Size="large", Alarms="off", PriceClass="PriceClass_100") == entries()


def test_the_token_is_constant() -> None:
    """CloudFormation refuses another one (template reference, "AWS::CloudFormation::CustomResource")."""
    assert entries()["ServiceToken"] == "<PublishFunction.Arn>"
    assert Stack().properties("PublishFunction").get("AutoPublishAlias") is None


def test_a_crash_and_its_repetition_are_within_the_timeout() -> None:
    function = Stack().properties("PublishFunction")
    [invocations] = [
        one
        for one in Stack().of_type("AWS::Lambda::EventInvokeConfig").values()
        if one["FunctionName"] == "<PublishFunction>"
    ]
    attempts = 1 + int(invocations["MaximumRetryAttempts"])
    assert attempts == 2
    limit_s = int(entries()["ServiceTimeout"])
    assert attempts * int(function["Timeout"]) + RETRY_AFTER_S <= limit_s <= 600
    assert int(function["Timeout"]) > SPARE_S
