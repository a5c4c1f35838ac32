"""stacks/map-tiles.yaml: map tiles beside the stack of template.yaml, which does not refer to them."""

from __future__ import annotations

import pytest

from tools.stack_parameters import build_map_tiles_parameters

from .own_stack import check_parameters
from .schemas import faults, resources_of
from .stack import ROOT, TEMPLATE, Stack
from .test_permissions import KEY, granted

SOURCE = ROOT / "stacks" / "map-tiles.yaml"
OUTPUTS = {
    "UploadApiUrl": "https://a1b2c3.execute-api.eu-central-1.amazonaws.com",
    "MediaBucketName": "media",
    "SigningKeysArn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:keys-a1b2c3",
}
BASIC = build_map_tiles_parameters("darkroom", OUTPUTS, {})


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


def test_unknown_parameters_do_not_multiply_cached_tiles() -> None:
    policy = tiles().properties("CachePolicy")["CachePolicyConfig"]["ParametersInCacheKeyAndForwardedToOrigin"]
    assert policy["QueryStringsConfig"] == {
        "QueryStringBehavior": "whitelist",
        "QueryStrings": ["bands", "rescale", "resampling", "exp", "s"],
    }
    assert policy["HeadersConfig"]["HeaderBehavior"] == policy["CookiesConfig"]["CookieBehavior"] == "none"


def test_concurrency_is_reserved_on_request() -> None:
    assert "ReservedConcurrentExecutions" not in tiles().properties("TilesFunction")
    assert int(tiles(MaxConcurrency="20").properties("TilesFunction")["ReservedConcurrentExecutions"]) == 20
