"""Every template is deployed to moto too, an AWS engine that is independent of MiniStack.

docs/reference/engines.md lists the resource types that an engine does not create. WRITE_ENGINES=1 writes the table.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from extensions import find_template

from .further_stacks import FURTHER, build_further
from .moto_engine import NESTED, Created, Deployment, MotoEngine, known_types
from .requests import CREATING
from .stack import ROOT, TEMPLATE
from .test_requests import DEPLOYMENTS

PAGE = ROOT / "docs" / "reference" / "engines.md"
HEAD = "| resource type | MiniStack | moto |\n| --- | --- | --- |\n"
BY_CLOUDFORMATION, BY_REQUESTS, NO_API, NO_TYPE = "CloudFormation", "requests", "no API", "–"

SOURCES = {"Buckets": "arn:aws:s3:::photos,arn:aws:s3:::more", "Objects": "arn:aws:s3:::photos/*,arn:aws:s3:::more/*"}
"""Parameters of ``stacks/sources.yaml`` beside the roles of the first stack."""

type Aws = Callable[[str], Any]


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoEngine]:
    engine = MotoEngine(tmp_path_factory.mktemp("moto"))
    yield engine
    engine.stop()


@pytest.fixture(scope="module")
def deployments(moto: MotoEngine) -> list[Deployment]:
    """Deployments of template.yaml, and of the further stacks beside the one with everything."""
    found = []
    for name, parameters in DEPLOYMENTS.items():
        moto.reset()
        first = moto.deploy("stack", TEMPLATE, parameters)
        found.append(first)
        if name == "everything":
            for further in FURTHER:
                given = build_further(further, first.outputs, parameters)
                found.append(moto.deploy(f"stack-{further}", find_template(further), given))
            roles = ",".join(first.created[f"{name}Role"].physical_id for name in ("Transform", "Purge"))
            found.append(moto.deploy("stack-sources", ROOT / "stacks" / "sources.yaml", SOURCES | {"Roles": roles}))
    return found


def outcome(one: Created) -> str:
    if not one.refused:
        return BY_CLOUDFORMATION if one.kind in known_types() else BY_REQUESTS
    if one.kind.startswith("Custom::"):  # moto invokes functions in Docker only
        return NO_TYPE
    code = re.findall(r"An error occurred \((\w+)\)", one.refused)
    assert code, one
    return NO_API if code[0] in ("404", "500") else f"refused: `{code[0]}`"


def find_unknown_to_ministack(aws: Aws) -> set[str]:
    """The types that MiniStack's CloudFormation does not know, in its own words."""
    resources = {f"Resource{number}": {"Type": kind} for number, kind in enumerate(CREATING)}
    try:
        aws("cloudformation").validate_template(TemplateBody=json.dumps({"Resources": resources}))
    except ClientError as error:
        return set(re.findall(r"AWS::\w+::\w+", error.response["Error"]["Message"]))
    return set()


@pytest.mark.slow
def test_the_table_has_what_each_engine_creates(aws: Aws, deployments: list[Deployment]) -> None:
    by_type: dict[str, set[str]] = {}
    for deployment in deployments:
        for one in deployment.created.values():
            by_type.setdefault(one.kind, set()).add(outcome(one))
    del by_type[NESTED]
    unknown = find_unknown_to_ministack(aws)
    rows = "".join(
        f"| `{kind}` | {NO_TYPE if kind in unknown else BY_CLOUDFORMATION} | {', '.join(sorted(outcomes))} |\n"
        for kind, outcomes in sorted(by_type.items())
    )
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.split(HEAD)
    table, _, rest = after.partition("\n\n")
    if os.environ.get("WRITE_ENGINES") == "1":
        PAGE.write_text(f"{before}{HEAD}{rows}\n{rest}", encoding="utf-8")
    else:
        assert rows == f"{table}\n"


@pytest.mark.slow
def test_every_other_resource_is_created(deployments: list[Deployment]) -> None:
    """A type that is created at all is created in each of its resources, nested stacks included."""
    for deployment in deployments:
        for logical_id, one in deployment.created.items():
            assert outcome(one) in (BY_CLOUDFORMATION, BY_REQUESTS) or one.kind in REFUSED, (logical_id, one)


REFUSED = {
    "AWS::CloudFront::CachePolicy",
    "AWS::CloudFront::Distribution",
    "AWS::CloudFront::MonitoringSubscription",
    "AWS::CloudFront::OriginRequestPolicy",
    "AWS::CloudFront::ResponseHeadersPolicy",
    "AWS::CloudWatch::CompositeAlarm",
    "Custom::EdgeEntries",
}
"""Types of which moto creates not every resource."""
