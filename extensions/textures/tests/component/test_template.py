"""Textures beside the stack of template.yaml, and the cache behaviour that leads to them."""

from __future__ import annotations

from typing import Any

import pytest

from cli.stack_parameters import FirstStack, build_parameters
from darkroom.imaging.fonts import FOLDER_VARIABLE
from extensions import find_extension
from tests.component.template.own_stack import (
    OWN_SOURCE,
    check_parameters,
    find_behaviour,
    find_route,
    list_untagged,
    read_own_source,
)
from tests.component.template.policies import listed
from tests.component.template.schemas import faults, resources_of
from tests.component.template.stack import ROOT, Stack
from tests.component.template.test_parameters import LIBVIPS, POWERTOOLS
from tests.component.template.test_permissions import granted
from textures.environment import TexturesEnvironment
from textures.request import PAGE
from textures.service import BASE

SOURCE = ROOT / "extensions" / "textures" / "stack.yaml"
OUTPUTS = {
    "UploadApiUrl": "https://a1b2c3.execute-api.eu-central-1.amazonaws.com",
    "MediaBucketName": "media",
    "SigningKeysArn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:keys-a1b2c3",
}
FIRST = find_extension("textures").first_stack_parameters
BASIC = build_parameters(SOURCE, FirstStack("darkroom", OUTPUTS, {}, ""))


def textures(**parameters: str) -> Stack:
    return Stack(SOURCE, **{**BASIC, **parameters})


@pytest.mark.slow
@pytest.mark.parametrize("further", [{}, OWN_SOURCE], ids=["basic", "own source"])
def test_resources_match_their_schemas(further: dict[str, str]) -> None:
    kinds = ["AWS::ApiGatewayV2::", "AWS::IAM::Role", "AWS::Lambda::Permission", "AWS::Logs::"]
    found = resources_of(textures(**further), kinds)
    assert len(found) >= 5
    assert faults(found) == []


def test_the_cache_policy_matches_its_schema() -> None:
    found = resources_of(Stack(**FIRST), ["AWS::CloudFront::CachePolicy"])
    assert "PathAndQueryCachePolicy" in found
    assert faults(found) == []


def test_nothing_of_it_is_there_by_default() -> None:
    found = Stack()
    config = found.properties("Distribution")["DistributionConfig"]
    assert "PathAndQueryCachePolicy" not in found.resources
    assert "extension" not in {origin["Id"] for origin in config["Origins"]}
    assert not [one for one in config["CacheBehaviors"] if one["TargetOriginId"] == "extension"]


def test_the_command_prints_every_parameter_without_a_default() -> None:
    check_parameters(SOURCE, BASIC, OUTPUTS)
    known = {"SourceBucket": "photos", "SourcePrefix": "", "Arch": "x86_64", "RetentionDays": "1,2,3,4,5"}
    found = build_parameters(SOURCE, FirstStack("darkroom", OUTPUTS, known, ""))
    assert (found["ApiId"], found["Arch"], found["LogDays"], found["SourcePrefix"]) == ("a1b2c3", "x86_64", "4", "")


def test_environment_is_what_the_function_reads() -> None:
    given = textures().variables("TexturesFunction")
    assert set(given) == {field.upper() for field in TexturesEnvironment.fields()} | POWERTOOLS | LIBVIPS | {
        FOLDER_VARIABLE
    }
    assert given["POWERTOOLS_SERVICE_NAME"] == "textures"
    assert given["ENCODER_PATH"] == TexturesEnvironment.encoder_path == "/opt/textures/basisu"


def test_the_role_reads_masters_and_writes_derivatives_alone() -> None:
    found = {action: set(resources) for action, resources in granted(textures(), "Textures").items()}
    for action in ("xray:PutTraceSegments", "xray:PutTelemetryRecords", "logs:CreateLogStream", "logs:PutLogEvents"):
        del found[action]
    derivatives = "arn:aws:s3:::media/derivatives/*"
    read = {f"arn:aws:s3:::media/{prefix}/*" for prefix in ("settings", "switches", "watermarks", "masters")}
    assert found == {
        "s3:GetObject": read | {derivatives},
        "s3:PutObject": {derivatives},
        "s3:DeleteObject": {derivatives},
        "s3:ListBucket": {"arn:aws:s3:::media"},
        "secretsmanager:GetSecretValue": {OUTPUTS["SigningKeysArn"]},
    }


def test_masters_of_a_source_bucket_are_read_there() -> None:
    read_own_source(textures(**OWN_SOURCE), "Textures")


def test_only_the_api_of_the_stack_invokes_it() -> None:
    assert find_route(textures(), BASE) == f"ANY {BASE}/{{proxy+}}"


def test_every_resource_that_can_be_tagged_is() -> None:
    assert list_untagged(textures()) == []


def behaviour(**parameters: str) -> dict[str, Any]:
    found, origin = find_behaviour(f"*/_/{PAGE}", **FIRST, **parameters)
    assert origin["OriginPath"] == BASE
    return found


def test_the_cdn_leads_to_the_api_and_caches_by_path_and_query() -> None:
    found = behaviour()
    assert found == behaviour(Dialects="on")
    assert listed(found["AllowedMethods"]) == ["GET", "HEAD", "OPTIONS"]
    assert found["CachePolicyId"] == "<PathAndQueryCachePolicy>"
    assert found["ResponseHeadersPolicyId"] == "<ResponseHeadersPolicy>", "loaders need CORS"
    assert {link["EventType"]: link["FunctionARN"] for link in found["FunctionAssociations"]} == {
        "viewer-request": "<PreflightFunction.FunctionARN>",
        "viewer-response": "<VaryFunction.FunctionARN>",
    }
    policy = Stack(**FIRST).properties("PathAndQueryCachePolicy")["CachePolicyConfig"]
    key = policy["ParametersInCacheKeyAndForwardedToOrigin"]
    assert (policy["MinTTL"], policy["DefaultTTL"], policy["MaxTTL"]) == (0, 0, 31_536_000)
    assert key["QueryStringsConfig"] == {"QueryStringBehavior": "all"}
    assert key["HeadersConfig"] == {"HeaderBehavior": "none"}
    assert key["CookiesConfig"] == {"CookieBehavior": "none"}
