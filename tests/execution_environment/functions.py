"""The functions of all templates as they are deployed to the local stack, and the events of each."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
from filelock import FileLock

from extensions import list_extensions
from local.aws import ACCESS_KEY, Cloud
from local.cfn_resolver import describe_resources
from local.own_stack import stack_name
from local.paths import REGION, ROOT, STACK
from tests.component.template.stack import TEMPLATES, template

from .environment import Function, merge_layers

BUILDS: Mapping[str, Path] = {
    STACK: ROOT / ".aws-sam" / "build",
    **{stack_name(one.flag): ROOT / ".aws-sam" / one.flag for one in list_extensions()},
}
"""Where ``sam build`` writes the functions and layers of each stack and of its nested stacks."""

_HASH = re.compile("[0-9a-f]{10}$")
"""What SAM appends to the logical id of a layer."""

_OUTCOMES = Path(__file__).parent / "outcomes.toml"

FUNCTIONS: Mapping[str, Path] = {
    logical_id: (path.parent / resource["Properties"]["CodeUri"]).resolve()
    for path in TEMPLATES
    for logical_id, resource in template(path)["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
}
"""The folder with the code of every function of every template, by its logical id."""


@dataclass(frozen=True, slots=True)
class Built:
    """Folders that ``sam build`` made: a layer's is ``<layers>/<logical id>``, of a stack's build folder if None."""

    layers: Path | None = None

    def find(self, build: Path, logical_id: str) -> Path:
        """Return the folder of a function or layer of the template whose build folder is ``build``."""
        if self.layers is not None and logical_id.endswith("Layer"):
            return self.layers / logical_id
        return next(path for path in (build / logical_id, *build.glob(f"*/{logical_id}")) if path.is_dir())


def find_deployed(
    cloud: Cloud, built: Built, further: Mapping[str, str], copies: Path, builds: Mapping[str, Path] = BUILDS
) -> dict[str, Function]:
    """Return every function of the deployed stacks ``builds`` by its logical id, with ``further`` variables.

    Its credentials are those of its role, its folders copies below ``copies``, which does not exist: another stack of
    this checkout may build again while tests run.
    """
    copies.mkdir()
    with FileLock(ROOT / ".aws-sam" / ".lock"):
        found = _find(cloud, built, further, builds)
        folders = {folder for one in found.values() for folder in (one.code, *one.layers)}
        copied = {folder: merge_layers([folder], copies / str(at)) for at, folder in enumerate(sorted(folders))}
    return {
        logical_id: replace(one, code=copied[one.code], layers=[copied[layer] for layer in one.layers])
        for logical_id, one in found.items()
    }


def _find(cloud: Cloud, built: Built, further: Mapping[str, str], builds: Mapping[str, Path]) -> dict[str, Function]:
    found: dict[str, Function] = {}
    for stack, build in builds.items():
        resources = list(describe_resources(cloud, stack))
        layers = {
            one["PhysicalResourceId"]: built.find(build, _HASH.sub("", one["LogicalResourceId"]))
            for one in resources
            if one["ResourceType"] == "AWS::Lambda::LayerVersion"
        }
        for one in resources:
            if one["ResourceType"] == "AWS::Lambda::Function":
                code = built.find(build, one["LogicalResourceId"])
                read = _read(cloud, one["PhysicalResourceId"], code, layers)
                found[one["LogicalResourceId"]] = replace(read, variables={**read.variables, **further})
    return found


def _read(cloud: Cloud, physical_id: str, code: Path, layers: Mapping[str, Path]) -> Function:
    found = cloud.functions.get_function_configuration(FunctionName=physical_id)
    return Function(
        name=found["FunctionName"],
        code=code,
        layers=[layers[one["Arn"]] for one in found.get("Layers", [])],
        variables={**_assume(cloud, found["Role"], found["FunctionName"]), **found["Environment"]["Variables"]},
        memory_mib=found["MemorySize"],
        timeout_s=found["Timeout"],
        handler=found["Handler"],
    )


def _assume(cloud: Cloud, role: str, function: str) -> dict[str, str]:
    """Return the variables of a region and of credentials of ``function``, so that policies of ``role`` are enforced.

    Only Lambda itself may assume the role, so that the account may for a moment.
    """
    roles, tokens, name = _connect(cloud, "iam"), _connect(cloud, "sts"), role.rpartition("/")[2]
    before = roles.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    account = {"AWS": f"arn:aws:iam::{role.split(':')[4]}:root"}
    opened = {"Effect": "Allow", "Principal": account, "Action": "sts:AssumeRole"}
    roles.update_assume_role_policy(
        RoleName=name, PolicyDocument=json.dumps({**before, "Statement": [*before["Statement"], opened]})
    )
    made = tokens.assume_role(RoleArn=role, RoleSessionName=function[:64])["Credentials"]
    roles.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(before))
    return {
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
        "AWS_SESSION_TOKEN": made["SessionToken"],
    }


def _connect(cloud: Cloud, service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=cloud.endpoint_url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=ACCESS_KEY,
    )


def list_outcomes(logical_id: str) -> dict[str, str]:
    """Return what each event of a function amounts to, by the event's name."""
    files = (_OUTCOMES, *(one.folder / "tests" / "outcomes.toml" for one in list_extensions()))
    found = (tomllib.loads(file.read_text(encoding="utf-8")) for file in files if file.exists())
    return dict(next(outcomes[logical_id] for outcomes in found if logical_id in outcomes))


def read_events(logical_id: str) -> dict[str, Any]:
    """Return the events of ``events/<function>/`` by name; those of an extension are in its folder."""
    code = FUNCTIONS[logical_id]
    folder = code.parents[1] / "events" / code.name
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


def summarise(response: Any) -> str:
    """Return what a response amounts to: a status, an error's type or code, a text, failed messages, or ``done``."""
    if not isinstance(response, dict):
        return str(response)
    if "batchItemFailures" in response:
        return f"{len(response['batchItemFailures'])} failed"
    found = [response.get(name) for name in ("errorType", "statusCode", "code")]
    return next((str(one).removeprefix("Runtime.") for one in found if one), "done")
