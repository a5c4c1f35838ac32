"""Parameters: described, grouped, used, and with the defaults that the code has."""

from __future__ import annotations

import inspect
import re

import pytest

from darkroom.aws.vectors.choosing import open_vectors
from darkroom.plan.limits import Limits
from darkroom.plan.options import GENERATION
from darkroom.plan.policy import AccessMode
from darkroom.plan.redaction import ALWAYS_REDACT, FIRST_GENERATION
from darkroom.services import settings
from darkroom.services.caching import CachePolicy
from darkroom.services.infer.tasks import tasks
from darkroom.services.infer.trial import open_trials
from darkroom.services.languages.ages import DEFAULT_MAX_AGE_S
from darkroom.services.languages.entry import connected
from darkroom.services.languages.table import LANGUAGES
from darkroom.services.monitor.functions import queues, read_functions
from darkroom.services.monitor.modelling import open_models, policy
from functions.edge.build import MAX_ALWAYS_REDACT_BYTES

from .stack import ROOT, Stack, broken_rules, references, template

PARAMETERS = template()["Parameters"]
CONDITIONS = template()["Conditions"]
REGISTRY = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b"


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_says_what_it_is_and_has_a_valid_default(name: str) -> None:
    declared = PARAMETERS[name]
    default = str(declared["Default"])
    assert len(declared["Description"]) > 30
    assert default in declared.get("AllowedValues", [default]) or int(default) in declared["AllowedValues"]
    assert re.search(declared.get("AllowedPattern", ""), default)
    if declared["Type"] == "Number":
        assert int(declared.get("MinValue", default)) <= int(default) <= int(declared.get("MaxValue", default))


def test_parameters_are_in_one_group_each() -> None:
    groups = template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(PARAMETERS)


def test_parameters_and_conditions_are_used() -> None:
    document = template()
    used = set(references([document["Resources"], document["Outputs"], document["Conditions"]]))
    assert set(PARAMETERS) <= used
    assert set(CONDITIONS) <= set(references([document["Resources"], document["Outputs"]]))


@pytest.mark.parametrize(
    ("name", "accepted", "refused"),
    [
        ("SourceBucket", ["", "my-photos.example.com"], ["My-Photos", "a", "s3://photos"]),
        ("SourcePrefix", ["", "masters/", "a b/c/"], ["/", "masters", "/masters/", "*/"]),
        ("WafRateLimit", ["0", "10", "2000"], ["", "9", "-1", "010"]),
        (
            "DomainName",
            ["", "pictures.example.com", "*.example.com"],
            ["https://example.com", "example", "a_b.example.com"],
        ),
        ("KmsKeyArn", ["", KEY], ["alias/photos", "arn:aws:kms:eu-central-1:111122223333:alias/photos"]),
        ("ClamdAddress", ["", "clamd.internal:3310", "10.0.0.7:3310"], ["clamd", "clamd:0", "/run/clamd", "tcp://a:1"]),
        ("VpcSubnetIds", ["", "subnet-0a1b"], ["sg-0a1b", "subnet-"]),
        ("VpcSecurityGroupIds", ["", "sg-0a1b"], ["subnet-0a1b", "default"]),
        ("FindingsGeneration", ["1", "b2", "20261231"], ["", "B2", "a-b", "123456789"]),
        (
            "AlwaysRedact",
            ["", "people/=faces", "people/=faces,caf%C3%A9/=text,=all"],
            ["people/", "/people/=faces", "café/=faces", "%61=all", "people/=faces, a=text", "'=all"],
        ),
        (
            "CertificateArn",
            ["", "arn:aws:acm:us-east-1:111122223333:certificate/0a1b"],
            ["arn:aws:acm:eu-central-1:111122223333:certificate/0a1b"],
        ),
        ("EndpointName", ["", "darkroom", "a-b"], ["-a", "a_b", "a-"]),
        (
            "EndpointImageUri",
            ["", f"{REGISTRY}/darkroom:1", f"{REGISTRY}/team/darkroom@sha256:0a1b"],
            [f"{REGISTRY}/darkroom", "darkroom:1", "public.ecr.aws/x/darkroom:1"],
        ),
        ("CanaryWeight", ["0", "0.11", "1", "12.5"], ["", "-1", ".5", "1."]),
        ("Tasks", ["faces", "faces,text,tags"], ["", "faces,", "cats", "faces, text"]),
        (
            "WebAclArn",
            ["", "arn:aws:wafv2:us-east-1:111122223333:global/webacl/name/0a1b"],
            ["arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/name/0a1b"],
        ),
    ],
)
def test_patterns(name: str, accepted: list[str], refused: list[str]) -> None:
    pattern = re.compile(PARAMETERS[name]["AllowedPattern"])
    assert [value for value in accepted if not pattern.fullmatch(value)] == []
    assert [value for value in refused if pattern.fullmatch(value)] == []


LIBVIPS = {"MALLOC_ARENA_MAX", "VIPS_WARNING"}
GLIBC = {"MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"}
POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"}
READ_BY_LIBRARIES = {
    "transform": LIBVIPS | GLIBC | POWERTOOLS,
    "ingest": LIBVIPS | GLIBC | POWERTOOLS,
    "library": LIBVIPS | POWERTOOLS,
    "scene": LIBVIPS | POWERTOOLS,
    "sweep": POWERTOOLS,
    "popular": POWERTOOLS,
    "purge": POWERTOOLS,
    "refine": LIBVIPS | POWERTOOLS,
    "forget": POWERTOOLS,
    "upload": POWERTOOLS,
    "similar": POWERTOOLS,
    "infer": LIBVIPS | POWERTOOLS,
    "monitor": POWERTOOLS,
}
_VARIABLE = re.compile(r'\b(?:(?:_env|environment)(?:\.get\(|\[)|_to\()"([A-Z_]+)"')


@pytest.mark.parametrize("function", READ_BY_LIBRARIES)
def test_environment_is_what_the_function_reads(function: str) -> None:
    source = (ROOT / "functions" / function / "app.py").read_text(encoding="utf-8")
    for reader in (
        settings.admission,
        settings.limits,
        settings.cache_policy,
        open_vectors,
        queues,
        open_models,
        open_trials,
        policy,
        tasks,
        connected,
    ):
        if re.search(rf"\b{reader.__name__}\((_env|environment)\b", source):
            source += inspect.getsource(reader)
    given = set(Stack(InferenceMode="lambda", AccessLogDays="1").variables(f"{function.capitalize()}Function"))
    assert given == set(_VARIABLE.findall(source)) | READ_BY_LIBRARIES[function]


@pytest.mark.parametrize("function", READ_BY_LIBRARIES)
def test_powertools_is_told_the_functions_name(function: str) -> None:
    variables = Stack(InferenceMode="lambda", AccessLogDays="1").variables(f"{function.capitalize()}Function")
    assert variables["POWERTOOLS_SERVICE_NAME"] == function
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "Darkroom/stack"


def test_ingest_and_transform_are_told_the_same() -> None:
    transform, ingest = Stack().variables("TransformFunction"), Stack().variables("IngestFunction")
    same = (transform.keys() & ingest.keys()) - GLIBC - {"POWERTOOLS_SERVICE_NAME"}
    assert {"SOURCE_BUCKET", "MAX_SOURCE_PIXELS", "CDN_MAX_AGE_S", "IMMUTABLE_PREFIXES"} <= same
    assert {name: transform[name] for name in same} == {name: ingest[name] for name in same}


def test_what_redacts_is_read_as_the_template_lets_it_through() -> None:
    assert PARAMETERS["AlwaysRedact"]["AllowedPattern"] == ALWAYS_REDACT
    assert PARAMETERS["AlwaysRedact"]["MaxLength"] == MAX_ALWAYS_REDACT_BYTES
    assert PARAMETERS["FindingsGeneration"]["Default"] == FIRST_GENERATION
    assert PARAMETERS["FindingsGeneration"]["AllowedPattern"] == f"^{GENERATION.pattern}$"


def test_defaults_are_those_of_the_code() -> None:
    variables = Stack().variables("TransformFunction")
    limits, caching = Limits(), CachePolicy()
    assert variables["MAX_SOURCE_BYTES"] == str(limits.max_bytes)
    assert variables["MAX_SOURCE_PIXELS"] == str(limits.max_pixels)
    assert variables["MAX_SOURCE_FRAMES"] == str(limits.max_frames)
    admitting = Stack().variables("IngestFunction")
    assert admitting["MAX_SCENE_BYTES"] == str(limits.max_scene_bytes)
    assert admitting["MAX_SCENE_PIXELS"] == str(limits.max_scene_pixels)
    assert variables["BROWSER_MAX_AGE_S"] == str(caching.browser_max_age_s)
    assert variables["CDN_MAX_AGE_S"] == str(caching.cdn_max_age_s)
    assert variables["STALE_WHILE_REVALIDATE_S"] == str(caching.stale_while_revalidate_s)
    assert variables["ACCESS_MODE"] == AccessMode.GUARDED
    assert PARAMETERS["AccessMode"]["AllowedValues"] == [mode.value for mode in AccessMode]
    assert variables["LANGUAGE_MAX_AGE_S"] == str(DEFAULT_MAX_AGE_S)
    assert variables["LANGUAGES"] == ",".join(f"{language.name}=off" for language in LANGUAGES)
    assert variables["LANGUAGE_KEYS_ARN"] == ""


CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/0a1b"
ACL = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/name/0a1b"


@pytest.mark.parametrize(
    ("parameters", "broken"),
    [
        ({}, 0),
        ({"DomainName": "pictures.example.com", "CertificateArn": CERTIFICATE}, 0),
        ({"DomainName": "pictures.example.com"}, 1),
        ({"CertificateArn": CERTIFICATE}, 1),
        ({"SnapStart": "on"}, 0),
        ({"ProvisionedConcurrency": "2"}, 0),
        ({"SnapStart": "on", "ProvisionedConcurrency": "2"}, 1),
        ({"SourceBucket": "photos", "SourcePrefix": "originals/"}, 0),
        ({"SourceBucket": "photos", "SourcePrefix": ""}, 0),
        ({"SourcePrefix": "originals/"}, 1),
        ({"AlwaysRedact": "people/=faces"}, 1),
        ({"AlwaysRedact": "people/=faces", "InferenceMode": "lambda"}, 0),
        ({"SourcePrefix": ""}, 1),
        ({"ModerationPolicy": "block"}, 1),
        ({"ModerationPolicy": "label"}, 1),
        ({"ModerationPolicy": "block", "InferenceMode": "lambda"}, 0),
        ({"WafRateLimit": "2000", "region": "us-east-1"}, 0),
        ({"WafRateLimit": "2000", "region": "eu-west-1"}, 1),
        ({"WafRateLimit": "2000", "WebAclArn": ACL, "region": "us-east-1"}, 1),
        ({"WebAclArn": ACL, "region": "eu-west-1"}, 0),
        ({"ThumborDomainName": "thumbs.example.com"}, 2),
        ({"ThumborDomainName": "thumbs.example.com", "LanguageCertificateArn": CERTIFICATE}, 1),
        ({"ThumborDomainName": "thumbs.example.com", "ThumborAccessMode": "guarded"}, 1),
        (
            {
                "ThumborDomainName": "thumbs.example.com",
                "LanguageCertificateArn": CERTIFICATE,
                "ThumborAccessMode": "guarded",
            },
            0,
        ),
    ],
)
def test_rules_refuse_parameters_that_do_not_go_together(parameters: dict[str, str], broken: int) -> None:
    assert len(broken_rules(**parameters)) == broken


def test_the_deployment_page_lists_every_parameter_with_its_default() -> None:
    page = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([A-Z]\w+)` \| (?:`([^`]*)` )?\|", page, re.MULTILINE))
    assert rows == {name: str(declared["Default"]) for name, declared in PARAMETERS.items()}


def test_the_monitor_knows_every_other_function_and_its_memory() -> None:
    stack = Stack(InferenceMode="lambda", MemoryMb="2048", IngestMemoryMb="4096", InferMemoryMb="5120")
    known = read_functions(stack.variables("MonitorFunction")["FUNCTIONS"])
    there = stack.of_type("AWS::Lambda::Function")
    assert {f"<{name}>": int(function["MemorySize"]) for name, function in there.items() if "Monitor" not in name} == {
        one.lambda_name: one.memory_mb for one in known.values()
    }
    assert all(one.lambda_name == f"<{name.capitalize()}Function>" for name, one in known.items())
