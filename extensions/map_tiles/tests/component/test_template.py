"""The template: map tiles beside the stack of template.yaml, which does not refer to them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cli.stack_parameters import FirstStack, build_parameters
from cloudfront_local.edge_function import V8Function
from extensions import find_extension
from tests.component.template.own_stack import check_parameters
from tests.component.template.schemas import faults, resources_of
from tests.component.template.stack import TEMPLATE, Stack
from tests.component.template.test_permissions import KEY, granted

SOURCE = find_extension("map_tiles").template
OUTPUTS = {
    "UploadApiUrl": "https://a1b2c3.execute-api.eu-central-1.amazonaws.com",
    "MediaBucketName": "media",
    "SigningKeysArn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:keys-a1b2c3",
}
BASIC = build_parameters(SOURCE, FirstStack("darkroom", OUTPUTS, {}, ""))


def tiles(**parameters: str) -> Stack:
    return Stack(SOURCE, **{**BASIC, **parameters})


@pytest.mark.slow
@pytest.mark.parametrize("further", [{}, {"KmsKeyArn": KEY, "MaxConcurrency": "20"}], ids=["basic", "key"])
def test_resources_match_their_schemas(further: dict[str, str]) -> None:
    found = resources_of(tiles(**further), ["AWS::CloudFront::", "AWS::IAM::Role", "AWS::Lambda::Permission"])
    assert len(found) >= 9
    assert faults(found) == []


def test_the_command_prints_every_parameter_without_a_default() -> None:
    check_parameters(SOURCE, BASIC, OUTPUTS)


def test_the_other_stack_does_not_know_of_it() -> None:
    assert "map-tiles" not in TEMPLATE.read_text(encoding="utf-8")


WATCHED = {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "logs:CreateLogStream", "logs:PutLogEvents"}


def test_the_tiles_role_reads_rasters_alone() -> None:
    found = {action: set(resources) for action, resources in granted(tiles(), "Tiles").items()}
    assert {action: found[action] for action in found.keys() - WATCHED} == {
        "s3:GetObject": {"arn:aws:s3:::media/map-tiles/*"},
        "s3:ListBucket": {"arn:aws:s3:::media"},
        "secretsmanager:GetSecretValue": {OUTPUTS["SigningKeysArn"]},
    }


def test_the_rasters_role_writes_descriptors_and_results_alone() -> None:
    found = {action: set(resources) for action, resources in granted(tiles(), "Rasters").items()}
    assert found["s3:PutObject"] == {
        "arn:aws:s3:::media/map-tiles/descriptors/*",
        "arn:aws:s3:::media/map-tiles/rasters/changes/*",
    }
    assert found.keys() - WATCHED == {"s3:GetObject", "s3:ListBucket", "s3:PutObject", "events:PutEvents"}
    assert found["events:PutEvents"] == {"arn:aws:events:eu-central-1:111122223333:event-bus/default"}


def test_the_query_is_a_header_in_the_key_and_no_query_is_signed() -> None:
    policy = tiles().properties("CachePolicy")["CachePolicyConfig"]["ParametersInCacheKeyAndForwardedToOrigin"]
    assert policy["HeadersConfig"] == {"HeaderBehavior": "whitelist", "Headers": ["x-viewer-query"]}
    forwarded = tiles().properties("OriginRequestPolicy")["OriginRequestPolicyConfig"]
    for one in (policy, forwarded):
        assert one["QueryStringsConfig"] == {"QueryStringBehavior": "none"}
        assert one["CookiesConfig"] == {"CookieBehavior": "none"}


async def run_at_the_edge(event: Any, query: str | None) -> Any:
    """The result of the function in an engine of this event loop."""
    function = V8Function(tiles().properties("HostFunction")["FunctionCode"])
    try:
        return (await function.run(event, query)).value
    finally:
        function.close()


@pytest.mark.parametrize(
    ("query", "header"),
    [
        ("bands=3,2,1&rescale=0,120&s=a-_b", "bands=3,2,1&rescale=0,120&s=a-_b"),
        ("s=b&utm_source=mail&bands=3", "s=b&bands=3"),
        ("bands=%33&bands=4", "bands=%33&bands=4"),
        ("bands=\u00fc", "bands=%C3%BC"),
        ("utm_source=mail", None),
        ("", None),
        (None, None),
    ],
)
def test_the_edge_passes_on_the_query_as_written_without_unknown_parameters(
    query: str | None, header: str | None
) -> None:
    sent = {"host": {"value": "tiles.example.com"}, "x-viewer-query": {"value": "forged=1"}}
    event = {"request": {"method": "GET", "uri": "/tiles/a/1/2/3.png", "querystring": {"a": {}}, "headers": sent}}
    found: Any = asyncio.run(run_at_the_edge(event, query))
    assert (found["uri"], found["querystring"]) == ("/tiles/a/1/2/3.png", {})
    assert found["headers"]["x-viewer-host"] == {"value": "tiles.example.com"}
    assert found["headers"].get("x-viewer-query") == ({"value": header} if header else None)


def test_concurrency_is_reserved_on_request() -> None:
    assert "ReservedConcurrentExecutions" not in tiles().properties("TilesFunction")
    assert int(tiles(MaxConcurrency="20").properties("TilesFunction")["ReservedConcurrentExecutions"]) == 20
