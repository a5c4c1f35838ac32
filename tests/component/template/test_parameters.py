"""Parameters: described, grouped, used, and with the defaults that the code has."""

from __future__ import annotations

import re

import pytest

from bench.cost.render_cost import MEMORY_MB
from cli.preflight.checks import REFINE_CONCURRENCY, UPLOAD_RATE
from darkroom import environment
from darkroom.environment import Environment
from darkroom.imaging.fonts import FOLDER_VARIABLE
from darkroom.settings import list_setting_fields
from darkroom_pipeline.operations.functions import parse_functions
from observability.monitored_functions import insert_functions

from .building import list_functions
from .functions import FUNCTIONS, full_stack, id_of, layers_of, source_of
from .policies import listed
from .stack import ROOT, TEMPLATE, Stack, broken_rules, references, template

PARAMETERS = template()["Parameters"]
CONDITIONS = template()["Conditions"]
REGISTRY = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"
DIGEST = f"sha256:{'0a' * 32}"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b"


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_says_what_it_is_and_has_a_valid_default(name: str) -> None:
    declared = PARAMETERS[name]
    default = str(declared["Default"])
    assert len(declared["Description"]) > 30
    assert default in declared.get("AllowedValues", [default]) or int(default) in declared["AllowedValues"]
    values = default.split(",") if declared["Type"] == "CommaDelimitedList" else [default]
    assert all(re.search(declared.get("AllowedPattern", ""), value) for value in values)
    if declared["Type"] == "Number":
        assert int(declared.get("MinValue", default)) <= int(default) <= int(declared.get("MaxValue", default))


def test_parameters_are_in_one_group_each() -> None:
    groups = template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(PARAMETERS)


def test_parameters_and_conditions_are_used() -> None:
    document = template()
    used = set(references([document["Resources"], document["Outputs"], document["Conditions"]]))
    assert set(PARAMETERS) <= used
    assert set(CONDITIONS) <= used


@pytest.mark.parametrize(
    ("name", "accepted", "refused"),
    [
        ("SourceBucket", ["", "my-photos.example.com"], ["My-Photos", "a", "s3://photos"]),
        ("SourcePrefix", ["", "masters/", "a b/c/"], ["/", "masters", "/masters/", "*/"]),
        ("WarmStart", ["off", "snapstart", "1", "250"], ["", "on", "0", "01"]),
        ("RetentionDays", ["1", "36500"], ["", "0", "01", "a"]),  # each value of the list
        ("WafRateLimit", ["0", "10", "2000"], ["", "9", "-1", "010"]),
        (
            "DomainName",
            ["", "images.example.com", "*.example.com"],
            ["https://example.com", "example", "a_b.example.com"],
        ),
        ("KmsKeyArn", ["", KEY], ["alias/photos", "arn:aws:kms:eu-central-1:111122223333:alias/photos"]),
        ("VpcSubnetIds", ["", "subnet-0a1b"], ["sg-0a1b", "subnet-"]),
        ("VpcSecurityGroupIds", ["", "sg-0a1b"], ["subnet-0a1b", "default"]),
        (
            "CertificateArn",
            ["", "arn:aws:acm:us-east-1:111122223333:certificate/0a1b"],
            ["arn:aws:acm:eu-central-1:111122223333:certificate/0a1b"],
        ),
        ("EndpointName", ["", "darkroom", "a-b"], ["-a", "a_b", "a-", "Darkroom"]),
        (
            "EndpointImageUri",
            ["", f"{REGISTRY}/darkroom@{DIGEST}", f"{REGISTRY}/team/darkroom@{DIGEST}"],
            [f"{REGISTRY}/darkroom", f"{REGISTRY}/darkroom:1", f"{REGISTRY}/darkroom:1@{DIGEST}", f"darkroom@{DIGEST}"],
        ),
        ("EndpointScaling", ["1,2", "1,2,600", "10,100,90"], ["", "1", "0,2", "1,2,", "1,2,0", "0,2,600", "1, 2, 600"]),
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
TUNED = frozenset({"transform", "ingest"})
"""Functions whose allocations are tuned by variables of glibc."""


def read_by_libraries(function: str) -> set[str]:
    """The variables that libraries read, not the function."""
    libvips = LIBVIPS if "ImagingLayer" in layers_of(function) else set()
    return POWERTOOLS | {FOLDER_VARIABLE} | libvips | (GLIBC if function in TUNED else set())


def test_every_function_is_deployed() -> None:
    code = {declared.code for declared in list_functions()}
    places = ("functions/*/app.py", "extensions/*/functions/*/app.py")
    folders = {path.parent for place in places for path in ROOT.glob(place)}
    assert folders == code, "each function is in a template"
    assert set(full_stack().of_type("AWS::Lambda::Function")) == set(map(id_of, FUNCTIONS))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_environment_is_what_the_function_reads(function: str) -> None:
    name = f"{function.capitalize()}Environment"
    read: type[Environment] | None = getattr(environment, name, None)
    assert read is not None, f"add the class {name} to layers/darkroom/darkroom/environment.py"
    assert f"_env = {name}()" in source_of(function), f"functions/{function}/app.py does not read its environment"
    given = set(full_stack().variables(id_of(function)))
    expected = {field.upper() for field in read.fields()} | read_by_libraries(function)
    assert given == expected, f"template.yaml: Variables of {id_of(function)}"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_powertools_gets_the_name_of_the_function(function: str) -> None:
    variables = full_stack().variables(id_of(function))
    assert variables["POWERTOOLS_SERVICE_NAME"] == function
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "Darkroom/stack"


def test_ingest_and_transform_get_the_same_settings() -> None:
    transform, ingest = Stack().variables("TransformFunction"), Stack().variables("IngestFunction")
    same = (transform.keys() & ingest.keys()) - GLIBC - {"POWERTOOLS_SERVICE_NAME"}
    assert {"SOURCE_BUCKET", "SOURCE_PREFIX", "REFINE"} <= same
    assert {name: transform[name] for name in same} == {name: ingest[name] for name in same}


def test_costs_are_priced_at_sizes_that_the_template_has() -> None:
    assert tuple(int(size["RenderMb"]) for size in template()["Mappings"]["Sizes"].values()) == MEMORY_MB


def test_no_variable_is_a_setting() -> None:
    """A setting is in the document alone: a variable of its name would be a second truth."""
    names = {one.name.upper() for one in list_setting_fields()}
    for function in FUNCTIONS:
        stack = Stack(InferenceMode="endpoint", EndpointName="own", AccessLogDays="1", Dialects="on")
        assert not names & set(stack.variables(id_of(function)))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_may_read_the_settings_if_its_function_does(function: str) -> None:
    reads = any(use in source_of(function) for use in ("LiveSettings(", "EdgePublication("))
    role = full_stack().properties(f"{function.capitalize()}Role")
    statements = [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]
    allowed = [one for one in statements if str(one.get("Resource")).endswith("/settings/*")]
    assert [one["Action"] for one in allowed] == (["s3:GetObject"] if reads else [])
    listing = [one for one in statements if "s3:ListBucket" in listed(one["Action"])]
    told_missing = any("<MediaBucket.Arn>" in listed(one["Resource"]) for one in listing)
    assert told_missing or not reads, "S3 would answer 403 where there is no document"


CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/0a1b"
ACL = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/name/0a1b"


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    ("parameters", "broken"),
    [
        ({}, 0),
        ({"DomainName": "images.example.com", "CertificateArn": CERTIFICATE}, 0),
        ({"DomainName": "images.example.com"}, 1),
        ({"CertificateArn": CERTIFICATE}, 0),
        ({"SourceBucket": "photos", "SourcePrefix": "originals/"}, 0),
        ({"SourceBucket": "photos", "SourcePrefix": ""}, 0),
        ({"SourcePrefix": "originals/"}, 1),
        ({"SourcePrefix": ""}, 1),
        ({"WafRateLimit": "2000", "region": "us-east-1"}, 0),
        ({"WafRateLimit": "2000", "region": "eu-west-1"}, 1),
        ({"WafRateLimit": "2000", "WebAclArn": ACL, "region": "us-east-1"}, 1),
        ({"WebAclArn": ACL, "region": "eu-west-1"}, 0),
        ({"ThumborDomainName": "thumbs.example.com"}, 2),
        ({"ThumborDomainName": "thumbs.example.com", "CertificateArn": CERTIFICATE}, 1),
        ({"ThumborDomainName": "thumbs.example.com", "Dialects": "on"}, 1),
        (
            {
                "ThumborDomainName": "thumbs.example.com",
                "CertificateArn": CERTIFICATE,
                "Dialects": "on",
            },
            0,
        ),
    ],
)
def test_rules_refuse_parameters_that_do_not_go_together(parameters: dict[str, str], broken: int) -> None:
    assert len(broken_rules(**parameters)) == broken


def test_the_deployment_page_lists_every_parameter_with_its_default() -> None:
    page = (ROOT / "docs/getting-started/deploy.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([A-Z]\w+)` \| (?:`([^`]*)` )?\|", page, re.MULTILINE))
    assert rows == {name: str(declared["Default"]) for name, declared in PARAMETERS.items()}


@pytest.mark.slow
def test_the_monitor_has_every_other_function_and_its_memory() -> None:
    text = TEMPLATE.read_text(encoding="utf-8")
    assert insert_functions(text) == text, "make alarms"
    stack = Stack(InferenceMode="lambda", AccessLogDays="1", Size="large")
    known = parse_functions(stack.variables("MonitorFunction")["FUNCTIONS"])
    there = stack.of_type("AWS::Lambda::Function")
    assert {f"<{name}>": int(function["MemorySize"]) for name, function in there.items() if "Monitor" not in name} == {
        one.lambda_name: one.memory_mb for one in known.values()
    }
    assert all(one.lambda_name == f"<{name.capitalize()}Function>" for name, one in known.items())


def test_preflight_has_the_constants_of_the_template() -> None:
    stack = Stack()
    assert stack.properties("UploadStage")["DefaultRouteSettings"]["ThrottlingRateLimit"] == UPLOAD_RATE
    scaling = stack.properties("RefineFunctionDerivatives")["ScalingConfig"]
    assert scaling["MaximumConcurrency"] == REFINE_CONCURRENCY


def test_the_root_has_at_most_45_parameters() -> None:
    assert len(PARAMETERS) <= 45


def test_the_root_has_at_most_four_thousand_lines() -> None:
    assert len(TEMPLATE.read_text(encoding="utf-8").splitlines()) <= 4000
