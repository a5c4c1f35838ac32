"""The distribution and its origins, behaviours and policies."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest

from darkroom.http.response import find_error_page

from .stack import Stack, references, transformed

CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/0a1b"
ACL = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/name/0a1b"
UNREMOVABLE = ("x-amzn-", "x-amz-cf-", "x-edge-", "x-accel-")
"""Prefixes of headers that no response headers policy may remove (CloudFront developer guide)."""


def distribution(stack: Stack) -> dict[str, Any]:
    return stack.properties("Distribution")["DistributionConfig"]


def custom_headers(stack: Stack) -> dict[str, str]:
    policy = stack.properties("ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]
    return {item["Header"]: item["Value"] for item in policy["CustomHeadersConfig"]["Items"]}


def test_what_is_stored_comes_first_and_the_function_on_a_miss() -> None:
    config = distribution(Stack())
    [group] = config["OriginGroups"]["Items"]
    assert [member["OriginId"] for member in group["Members"]["Items"]] == ["derivatives", "transform"]
    assert group["FailoverCriteria"]["StatusCodes"] == {
        "Quantity": 6,
        "Items": [403, 404, 500, 502, 503, 504],
    }
    assert config["DefaultCacheBehavior"]["TargetOriginId"] == group["Id"]
    assert [one["PathPattern"] for one in config["CacheBehaviors"]] == [
        "/_/errors/*",
        "/_/review/*",
    ]
    origins = {origin["Id"]: origin for origin in config["Origins"]}
    assert origins["derivatives"]["OriginPath"] == "/derivatives"
    assert origins["derivatives"]["OriginAccessControlId"] == "<MediaAccessControl>"
    assert origins["transform"]["OriginAccessControlId"] == "<TransformAccessControl>"
    assert origins["transform"]["DomainName"] == "<2 of <TransformFunctionUrl.FunctionUrl>>"


def test_both_origins_are_signed_for() -> None:
    controls = {
        k: v["OriginAccessControlConfig"] for k, v in Stack().of_type("AWS::CloudFront::OriginAccessControl").items()
    }
    assert {c["OriginAccessControlOriginType"] for c in controls.values()} == {"s3", "lambda"}
    assert {(c["SigningBehavior"], c["SigningProtocol"]) for c in controls.values()} == {("always", "sigv4")}


def test_the_path_is_the_whole_cache_key() -> None:
    policy = Stack().properties("CachePolicy")["CachePolicyConfig"]
    key = policy["ParametersInCacheKeyAndForwardedToOrigin"]
    assert (policy["MinTTL"], policy["MaxTTL"]) == (0, 31_536_000)
    assert key["HeadersConfig"] == {"HeaderBehavior": "none"}
    assert key["CookiesConfig"] == {"CookieBehavior": "none"}
    assert key["QueryStringsConfig"] == {"QueryStringBehavior": "none"}
    assert not key["EnableAcceptEncodingGzip"]
    assert not key["EnableAcceptEncodingBrotli"]
    assert distribution(Stack())["DefaultCacheBehavior"]["Compress"] is False


def test_the_origin_gets_headers_of_the_edge_and_never_the_host() -> None:
    policy = Stack().properties("OriginRequestPolicy")["OriginRequestPolicyConfig"]
    assert policy["HeadersConfig"]["HeaderBehavior"] == "whitelist"
    assert set(policy["HeadersConfig"]["Headers"]) == {
        "x-darkroom-request",
        "x-darkroom-signature",
        "x-darkroom-expires",
        "x-darkroom-url",
        "x-darkroom-first",
    }
    assert policy["CookiesConfig"] == {"CookieBehavior": "none"}
    assert policy["QueryStringsConfig"] == {"QueryStringBehavior": "none"}


def test_only_images_are_requested() -> None:
    behaviour = distribution(Stack())["DefaultCacheBehavior"]
    assert behaviour["AllowedMethods"] == ["GET", "HEAD", "OPTIONS"]
    assert behaviour["CachedMethods"] == ["GET", "HEAD"]
    assert behaviour["ViewerProtocolPolicy"] == "redirect-to-https"


def test_errors_are_cached_for_their_own_age() -> None:
    errors = distribution(Stack())["CustomErrorResponses"]
    assert {error["ErrorCode"] for error in errors} == {400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504}
    assert {error["ErrorCachingMinTTL"] for error in errors} == {0}
    replaced = {error["ErrorCode"] for error in errors if "ResponsePagePath" in error}
    assert replaced == {502, 504}, "the function answers the others itself, with its own code and Retry-After"


@pytest.mark.parametrize("name", ["Distribution", "DropInDistribution"])
def test_errors_of_the_cdn_have_a_page_that_the_function_serves(name: str) -> None:
    hosts = {"ImgproxyDomainName": "img.example.com", "CertificateArn": "arn:aws:acm:us-east-1:0:certificate/a"}
    config = Stack(Dialects="on", **hosts).properties(name)["DistributionConfig"]
    for error in config["CustomErrorResponses"]:
        if path := error.get("ResponsePagePath"):
            assert error["ResponseCode"] == error["ErrorCode"]
            page = find_error_page(path)
            assert page is not None
            assert page["statusCode"] == 200, "CloudFront takes no other response for a page"
            assert json.loads(str(page["body"]))["status"] == error["ErrorCode"]
            found = next(one for one in config["CacheBehaviors"] if fnmatchcase(path, one["PathPattern"]))
            assert found["TargetOriginId"] == "transform"
            assert "FunctionAssociations" not in found


def test_the_function_gives_up_before_the_cdn_does() -> None:
    stack = Stack()
    [origin] = [o for o in distribution(stack)["Origins"] if o["Id"] == "transform"]
    assert stack.properties("TransformFunction")["Timeout"] < origin["CustomOriginConfig"]["OriginReadTimeout"]


def test_responses_have_a_vary_header() -> None:
    with_cors, without = Stack(), Stack(CorsOrigins="")
    assert custom_headers(without)["Vary"] == "Accept, DPR, Sec-CH-DPR, Save-Data"
    assert custom_headers(with_cors)["Vary"] == "Accept, DPR, Sec-CH-DPR, Save-Data, Origin"
    assert custom_headers(with_cors)["Accept-CH"] == "DPR, Sec-CH-DPR, Width, Sec-CH-Width"
    for stack in (with_cors, without):
        assert f"'{custom_headers(stack)['Vary']}'" in stack.properties("VaryFunction")["FunctionCode"]


def test_every_error_has_a_retry_after() -> None:
    policy = Stack().properties("ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]
    [header] = [item for item in policy["CustomHeadersConfig"]["Items"] if item["Header"] == "Retry-After"]
    assert int(header["Value"]) > 0
    assert header["Override"] is False, "what the function says of its own errors counts more"
    assert "Retry-After" in policy["CorsConfig"]["AccessControlExposeHeaders"]["Items"]


def test_cors_allows_the_origins_of_the_parameter() -> None:
    policy = Stack(CorsOrigins="https://a.example,https://b.example").properties("ResponseHeadersPolicy")
    cors = policy["ResponseHeadersPolicyConfig"]["CorsConfig"]
    assert cors["AccessControlAllowOrigins"]["Items"] == ["https://a.example", "https://b.example"]
    assert cors["AccessControlAllowCredentials"] is False
    assert "CorsConfig" not in Stack(CorsOrigins="").properties("ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]


def test_nothing_of_the_storage_shows() -> None:
    policy = Stack().properties("ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]
    removed = [item["Header"] for item in policy["RemoveHeadersConfig"]["Items"]]
    assert "x-amz-server-side-encryption-aws-kms-key-id" in removed
    assert len(removed) <= 10
    assert not any(name.startswith(UNREMOVABLE) for name in removed)
    security = policy["SecurityHeadersConfig"]
    assert security["ContentTypeOptions"] == {"Override": True}
    assert security["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31_536_000


def test_every_behaviour_has_a_content_security_policy() -> None:
    """Any response may be an SVG: ``raw`` and ``skp`` return masters, and S3 answers without the function."""
    stack = Stack(Dialects="on")
    policy = stack.properties("ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    given = policy["ContentSecurityPolicy"]
    assert given["Override"] is True
    directives = {one.split()[0]: one.split()[1:] for one in given["ContentSecurityPolicy"].split(";")}
    assert directives["default-src"] == ["'none'"]
    assert directives["sandbox"] == []
    assert not {"script-src", "object-src", "frame-src"} & set(directives)
    for one in stack.of_type("AWS::CloudFront::Distribution").values():
        config = one["DistributionConfig"]
        for behaviour in (config["DefaultCacheBehavior"], *config.get("CacheBehaviors", ())):
            if behaviour["TargetOriginId"] == "api":  # the review app, whose pages have scripts; it sends a policy
                assert "ResponseHeadersPolicyId" not in behaviour
                continue
            assert behaviour["ResponseHeadersPolicyId"] == "<ResponseHeadersPolicy>"


def test_edge_functions_run_on_the_way_in_and_out() -> None:
    def events(stack: Stack) -> dict[str, str]:
        associations = distribution(stack)["DefaultCacheBehavior"]["FunctionAssociations"]
        return {a["EventType"]: a["FunctionARN"] for a in associations}

    for stack in (Stack(), Stack(CorsOrigins="")):
        assert events(stack) == {
            "viewer-request": "<EdgeFunction.FunctionARN>",
            "viewer-response": "<VaryFunction.FunctionARN>",
        }
    for function in Stack().of_type("AWS::CloudFront::Function").values():
        assert function["FunctionConfig"]["Runtime"] == "cloudfront-js-2.0"
        assert function["AutoPublish"] is True


def test_the_edge_reads_which_findings_are_active() -> None:
    stack = Stack(InferenceMode="lambda")
    function = stack.properties("EdgeFunction")
    assert function["FunctionConfig"]["KeyValueStoreAssociations"] == [{"KeyValueStoreARN": "<FindingsStore.Arn>"}]
    assert stack.outputs["FindingsStoreArn"] == "<FindingsStore.Arn>"


def test_options_of_the_distribution() -> None:
    plain = distribution(Stack())
    assert plain["HttpVersion"] == "http2and3"
    assert plain["ViewerCertificate"] == {"CloudFrontDefaultCertificate": True}
    assert not {"Aliases", "WebACLId", "Logging"} & set(plain)
    assert not any("OriginShield" in origin for origin in plain["Origins"])

    full = distribution(
        Stack(
            DomainName="images.example.com",
            CertificateArn=CERTIFICATE,
            WebAclArn=ACL,
            AccessLogDays="30",
            OriginShieldRegion="eu-central-1",
            PriceClass="PriceClass_100",
        )
    )
    assert full["Aliases"] == ["images.example.com"]
    assert full["ViewerCertificate"]["AcmCertificateArn"] == CERTIFICATE
    assert full["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert full["WebACLId"] == ACL
    assert full["Logging"]["Bucket"] == "<AccessLogBucket.RegionalDomainName>"
    assert full["PriceClass"] == "PriceClass_100"
    shields = {o["Id"]: o["OriginShield"]["OriginShieldRegion"] for o in full["Origins"] if "OriginShield" in o}
    assert shields == dict.fromkeys(("derivatives", "transform"), "eu-central-1")


def test_a_rate_limit_blocks_single_addresses() -> None:
    stack = Stack(WafRateLimit="2000")
    acl = stack.properties("RateLimit")
    [rule] = acl["Rules"]
    assert acl["Scope"] == "CLOUDFRONT"
    assert rule["Action"] == {"Block": {}}
    assert rule["Statement"]["RateBasedStatement"]["Limit"] == "2000"
    assert distribution(stack)["WebACLId"] == "<RateLimit.Arn>"
    assert "RateLimit" not in Stack().resources


def test_addresses_of_the_stack() -> None:
    assert Stack().outputs["CdnUrl"] == "https://<Distribution.DomainName>"
    named = Stack(DomainName="images.example.com", CertificateArn=CERTIFICATE, SourceBucket="photos", SourcePrefix="a/")
    assert named.outputs["CdnUrl"] == "https://images.example.com"
    assert named.outputs["MastersUri"] == "s3://photos/a/"
    assert {"DistributionId", "MediaBucketName", "TransformFunctionName", "SigningKeysArn"} <= set(named.outputs)


def test_resources_do_not_refer_to_each_other_in_circles() -> None:
    resources = transformed()["Resources"]
    below = {name: set(references(resource)) & set(resources) for name, resource in resources.items()}
    reached: dict[str, set[str]] = {}

    def closure(name: str, path: tuple[str, ...] = ()) -> set[str]:
        assert name not in path, " → ".join((*path, name))
        if name not in reached:
            reached[name] = below[name].union(*(closure(other, (*path, name)) for other in below[name]))
        return reached[name]

    for name in resources:
        closure(name)
    assert "TransformFunction" in reached["Distribution"]
    assert "Distribution" not in reached["TransformFunction"] | reached["TransformRole"] | reached["EdgeFunction"]
