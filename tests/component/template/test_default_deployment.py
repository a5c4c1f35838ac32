"""What a deployment with default parameters has, and what it costs without a request, stay within budgets."""

from __future__ import annotations

import json
import re
from pathlib import Path

import botocore
import pytest

from bench.cost.idle import monthly_amounts
from cli.deployment import OPTIONS_OF_OUTPUTS
from darkroom_pipeline.operations.cost_model import load_prices, sum_amounts
from tests.component.template.stack import OPTIONAL_PARTS, ROOT, Stack, template
from tools.default_deployment import OPTIONS, README, describe_deployment, insert_options, list_differences, main

MAX_RESOURCES, MAX_FUNCTIONS, MAX_LAYERS = 110, 8, 5
MAX_IDLE_USD = {"off": 1.88, "essential": 8.88, "all": 16.78}
"""By the level of alarms."""


COMPLETE = {
    **dict.fromkeys(OPTIONAL_PARTS, "off"),
    "EndpointName": "models",
    "ThumborDomainName": "thumbor.example",
    "CertificateArn": "arn:aws:acm:us-east-1:111122223333:certificate/1",
}
"""What an option needs beside itself."""


def test_the_default_deployment_is_within_its_budgets() -> None:
    found = describe_deployment()
    assert len(found.types) <= MAX_RESOURCES
    assert len(found.functions) <= MAX_FUNCTIONS
    assert len(found.layers) <= MAX_LAYERS


@pytest.mark.parametrize("level", MAX_IDLE_USD)
def test_an_idle_month_is_within_its_budget(level: str) -> None:
    assert round(describe_deployment(Alarms=level).idle_usd, 2) <= MAX_IDLE_USD[level]


@pytest.mark.parametrize("part", [*OPTIONAL_PARTS, ""])
def test_without_an_optional_part_nothing_refers_to_it(part: str) -> None:
    """CloudFormation refuses a template with a reference to a resource whose condition is false."""
    stack = Stack(**{part: "off"} if part else dict.fromkeys(OPTIONAL_PARTS, "off"))
    named = set(re.findall(r"<(\w+)[.>]", json.dumps([stack.resources, stack.outputs], default=str)))
    assert named - set(stack.resources) == set()


def test_each_output_that_a_default_deployment_lacks_names_its_parameter() -> None:
    lacking = set(template()["Outputs"]) - set(Stack(**dict.fromkeys(OPTIONAL_PARTS, "off")).outputs)
    assert set(OPTIONS_OF_OUTPUTS) == lacking
    for output, option in OPTIONS_OF_OUTPUTS.items():
        given = dict(one.split("=") for one in option.split())
        assert output in Stack(**COMPLETE | given).outputs


def test_layers_have_the_data_of_every_service_that_functions_call() -> None:
    text = (ROOT / "layers" / "layer.mk").read_text(encoding="utf-8")
    services = re.search(r"^SERVICES := ((?:.*\\\n)*.*)", text, re.MULTILINE)
    assert services is not None
    kept = set(services[1].replace("\\", " ").split())
    folders = (
        ROOT / "functions",
        ROOT / "layers",
        *ROOT.glob("extensions/*/functions"),
        *ROOT.glob("extensions/*/src"),
    )
    called = {
        name
        for folder in folders
        for path in folder.rglob("*.py")
        for name in re.findall(r'(?:create_client|\.client)\(\s*"([a-z0-9-]+)"', path.read_text(encoding="utf-8"))
    }
    assert {"s3", "sqs", "sagemaker-runtime"} <= called
    assert called | {"xray"} <= kept, "the X-Ray SDK makes a client when it is imported"
    assert kept <= {path.name for path in (Path(botocore.__file__).parent / "data").iterdir()}


def test_resources_are_those_after_the_transform() -> None:
    types = describe_deployment(Alarms="off").types
    assert types["TransformFunctionUrl"] == "AWS::Lambda::Url"
    assert not [name for name in types if name.startswith("AlarmsStack")]
    assert describe_deployment().types["AlarmsStack.ViewersAlarm"] == "AWS::CloudWatch::CompositeAlarm"
    assert "InferFunction" not in types
    assert "InferFunction" in describe_deployment(InferenceMode="lambda").types


def test_the_lines_of_the_bill_are_those_of_the_page_about_costs() -> None:
    for level, rows in monthly_amounts().items():
        usd = sum(load_prices().cost(sum_amounts(*rows.values())).values())
        assert describe_deployment(Alarms=level).idle_usd == pytest.approx(usd)


@pytest.mark.parametrize(
    ("option", "line"),
    [
        ({"Refine": "on"}, "polling of 4 queues"),
        ({"UrgentUploads": "on"}, "polling of 4 queues"),
        ({"Dialects": "on"}, "2 secrets"),
        ({"Alarms": "all"}, "CloudFront's additional metrics"),
    ],
    ids=lambda given: "=".join(next(iter(given.items()))) if isinstance(given, dict) else "",
)
def test_an_option_is_priced_by_what_it_adds(option: dict[str, str], line: str) -> None:
    default, other = describe_deployment().idle_lines, describe_deployment(**option).idle_lines
    assert other[line] > default.get(line, 0)


def test_the_table_of_the_readme_is_as_the_template_is() -> None:
    page = README.read_text(encoding="utf-8")
    assert insert_options(page) == page, "make alarms"


def test_each_option_makes_a_difference(capsys: pytest.CaptureFixture[str]) -> None:
    found = list(list_differences(describe_deployment()))
    assert len(found) == len(OPTIONS)
    assert all(resources for _, _, resources, _, _ in found)
    assert main([]) == 0
    assert all(name in capsys.readouterr().out for name, *_ in found[:1])
