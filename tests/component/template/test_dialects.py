"""Parts of the distribution that exist for enabled dialects only."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from darkroom.image_keys import LARGE_PREFIX
from darkroom_dialects.registry import DIALECTS

from .stack import Stack
from .test_permissions import granted

CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/0a1b"
ALL = {"Dialects": "on"}
HOSTS = {
    "ImgproxyDomainName": "img.example.com",
    "DitDomainName": "dit.example.com",
    "CertificateArn": CERTIFICATE,
}


def behaviours(stack: Stack, distribution: str = "Distribution") -> dict[str, dict[str, Any]]:
    config = stack.properties(distribution)["DistributionConfig"]
    found = {one["PathPattern"]: one for one in config.get("CacheBehaviors", [])}
    return {pattern: one for pattern, one in found.items() if pattern not in ("/_/errors/*", "/_/review/*")}


def test_nothing_is_there_for_dialects_that_are_off() -> None:
    stack = Stack()
    assert behaviours(stack) == {}
    assert not {name for name in stack.resources if "Language" in name or name.startswith("DropIn")}


def test_dialects_go_straight_to_the_function_and_what_is_large_to_the_store() -> None:
    found = behaviours(Stack(**ALL))
    origins = {pattern: one["TargetOriginId"] for pattern, one in found.items()}
    assert origins.pop(f"{LARGE_PREFIX}/*") == "derivatives"
    assert set(origins.values()) == {"transform"}
    prefixes = [prefix for dialect in DIALECTS for prefix in (dialect.prefix, *dialect.further_prefixes)]
    matched = [[pattern for pattern in origins if fnmatchcase(f"{prefix}/a", pattern)] for prefix in prefixes]
    assert all(len(patterns) == 1 for patterns in matched)
    assert {pattern for patterns in matched for pattern in patterns} == origins.keys()
    for pattern, one in found.items():
        assert {link["EventType"]: link["FunctionARN"] for link in one["FunctionAssociations"]} == {
            "viewer-request": "<LanguagesFunction.FunctionARN>",
            "viewer-response": "<VaryFunction.FunctionARN>",
        }
        assert (one["AllowedMethods"], one["ViewerProtocolPolicy"]) == (["GET", "HEAD", "OPTIONS"], "redirect-to-https")
        is_large = pattern == f"{LARGE_PREFIX}/*"
        assert one["CachePolicyId"] == ("<CachePolicy>" if is_large else "<LanguageCachePolicy>")
        assert ("OriginRequestPolicyId" in one) is not is_large


def test_what_was_negotiated_is_in_the_key_and_the_url_is_not() -> None:
    stack = Stack(**ALL)
    cache = stack.properties("LanguageCachePolicy")["CachePolicyConfig"]
    key = cache["ParametersInCacheKeyAndForwardedToOrigin"]
    keyed = {name.lower() for name in key["HeadersConfig"]["Headers"]}
    assert keyed == {"x-darkroom-class", "x-darkroom-findings", "x-darkroom-host", "cloudfront-forwarded-proto"}
    assert key["QueryStringsConfig"] == {"QueryStringBehavior": "none"}, "the edge puts it into the path"
    assert (cache["MinTTL"], cache["DefaultTTL"]) == (0, 0)
    forwarded = stack.properties("LanguageRequestPolicy")["OriginRequestPolicyConfig"]
    assert set(forwarded["HeadersConfig"]["Headers"]) == {"x-darkroom-language", "x-darkroom-url"}
    ours = stack.properties("OriginRequestPolicy")["OriginRequestPolicyConfig"]["HeadersConfig"]["Headers"]
    assert "x-darkroom-language" not in ours, "a viewer of our own URLs may not choose a language by a header"


def test_keys_are_kept_and_read_with_dialects() -> None:
    plain, signed = Stack(), Stack(**ALL)
    assert "LanguageKeys" not in plain.resources
    assert granted(plain, "Transform")["secretsmanager:GetSecretValue"] == ["<SigningKeys.Id>"]
    assert plain.variables("TransformFunction")["LANGUAGE_KEYS_ARN"] == ""
    assert signed.properties("LanguageKeys")["SecretString"] == "{}"
    assert "<LanguageKeys.Id>" in granted(signed, "Transform")["secretsmanager:GetSecretValue"]
    assert signed.variables("TransformFunction")["LANGUAGE_KEYS_ARN"] == "<LanguageKeys.Id>"
    assert signed.outputs["LanguageKeysArn"] == "<LanguageKeys.Id>"


def test_hosts_of_other_services_have_a_distribution_of_their_own() -> None:
    stack = Stack(**ALL, **HOSTS)
    config = stack.properties("DropInDistribution")["DistributionConfig"]
    assert config["Aliases"] == ["img.example.com", "dit.example.com"]
    assert config["ViewerCertificate"]["AcmCertificateArn"] == CERTIFICATE
    assert config["DefaultCacheBehavior"]["TargetOriginId"] == "transform"
    assert set(behaviours(stack, "DropInDistribution")) == {f"{LARGE_PREFIX}/*"}
    used = {link["FunctionARN"] for link in config["DefaultCacheBehavior"]["FunctionAssociations"]}
    assert used == {"<DropInLanguagesFunction.FunctionARN>", "<DropInVaryFunction.FunctionARN>"}
    code = stack.properties("DropInLanguagesFunction")["FunctionCode"]
    assert code == stack.properties("LanguagesFunction")["FunctionCode"]
    assert "'img.example.com=imgproxy,=thumbor,dit.example.com=dit'" in code
    main = stack.properties("Distribution")["DistributionConfig"]
    assert [origin["Id"] for origin in config["Origins"]] == ["derivatives", "transform"]
    assert config["CustomErrorResponses"] == main["CustomErrorResponses"]
    assert (
        "WebACLId" in Stack(**ALL, **HOSTS, WafRateLimit="2000").properties("DropInDistribution")["DistributionConfig"]
    )
    logged = Stack(**ALL, **HOSTS, AccessLogDays="7")
    [own, other] = (logged.properties(name)["DistributionConfig"] for name in ("Distribution", "DropInDistribution"))
    assert other["Logging"] == own["Logging"]
    assert "Logging" not in config


def test_both_distributions_may_ask_the_function_and_the_store() -> None:
    stack = Stack(**ALL, **HOSTS)
    permitted = [
        (one["Action"], one["SourceArn"].rpartition("/")[2])
        for one in stack.of_type("AWS::Lambda::Permission").values()
        if one["Principal"] == "cloudfront.amazonaws.com"
    ]
    actions = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")
    assert sorted(permitted) == sorted((a, d) for a in actions for d in ("<Distribution>", "<DropInDistribution>"))
    policy = stack.properties("MediaBucketPolicy")["PolicyDocument"]["Statement"]
    readers = [s["Condition"]["StringEquals"]["aws:SourceArn"] for s in policy if s["Effect"] == "Allow"]
    assert [reader.rpartition("/")[2] for reader in readers] == ["<Distribution>", "<DropInDistribution>"]
