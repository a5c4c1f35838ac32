"""Textures beside the stack of template.yaml, and the cache behaviour that leads to them."""

from __future__ import annotations

from typing import Any

import pytest

from darkroom.environment import TexturesEnvironment
from darkroom.imaging.fonts import FOLDER_VARIABLE
from darkroom.textures.request import PAGE
from darkroom.textures.service import BASE
from tools.stack_parameters import FirstStack, build_parameters

from .own_stack import OWN_SOURCE, check_parameters, find_behaviour, find_route, list_untagged, read_own_source
from .policies import listed
from .schemas import faults, resources_of
from .stack import ROOT, Stack
from .test_parameters import LIBVIPS, POWERTOOLS
from .test_permissions import granted

SOURCE = ROOT / "extensions" / "textures" / "stack.yaml"
OUTPUTS = {
    "UploadApiUrl": "https://a1b2c3.execute-api.eu-central-1.amazonaws.com",
    "MediaBucketName": "media",
    "SigningKeysArn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:keys-a1b2c3",
}
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
    found = resources_of(Stack(), ["AWS::CloudFront::CachePolicy"])
    assert "TextureCachePolicy" in found
    assert faults(found) == []


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
    found, origin = find_behaviour(f"*/_/{PAGE}", **parameters)
    assert origin["OriginPath"] == BASE
    return found


def test_the_cdn_leads_to_the_api_and_caches_by_path_and_query() -> None:
    found = behaviour()
    assert found == behaviour(Dialects="on")
    assert listed(found["AllowedMethods"]) == ["GET", "HEAD", "OPTIONS"]
    assert found["CachePolicyId"] == "<TextureCachePolicy>"
    assert found["ResponseHeadersPolicyId"] == "<ResponseHeadersPolicy>", "loaders need CORS"
    assert {link["EventType"]: link["FunctionARN"] for link in found["FunctionAssociations"]} == {
        "viewer-request": "<PreflightFunction.FunctionARN>",
        "viewer-response": "<VaryFunction.FunctionARN>",
    }
    policy = Stack().properties("TextureCachePolicy")["CachePolicyConfig"]
    key = policy["ParametersInCacheKeyAndForwardedToOrigin"]
    assert (policy["MinTTL"], policy["DefaultTTL"], policy["MaxTTL"]) == (0, 0, 31_536_000)
    assert key["QueryStringsConfig"] == {"QueryStringBehavior": "all"}
    assert key["HeadersConfig"] == {"HeaderBehavior": "none"}
    assert key["CookiesConfig"] == {"CookieBehavior": "none"}
