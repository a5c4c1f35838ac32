"""moto as a second AWS engine: a process that a template is deployed to, as far as moto goes.

moto's CloudFormation creates the resources of the types that it knows. Those of other types are created by the requests
that CloudFormation would send (``requests.py``), if moto has the service.
"""

from __future__ import annotations

import asyncio
import functools
import io
import json
import os
import re
import subprocess
import urllib.error
import urllib.request
import zipfile
from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local import tool_venvs
from local.processes import stop
from local.progress import Progress
from tests.ports import free_port
from tests.waiting import HANG_S, wait_until

from .requests import CREATING
from .schemas import identified, identifier
from .stack import PSEUDO, ROOT, Node, Stack, nested_templates

REGION, ACCOUNT = PSEUDO["AWS::Region"], PSEUDO["AWS::AccountId"]
PACKAGES, CODE = "packages", "code"
"""The bucket and the key of code in templates after SAM."""

NESTED = "AWS::CloudFormation::Stack"
LAYER = "AWS::Lambda::LayerVersion"

_IN_BRACES = re.compile(r"\$\{([A-Za-z0-9.]+)\}")

FAILING = frozenset({"AWS::KMS::Key"})
"""Types that moto 5.2.5 knows but does not create: it fails for a key with tags."""

_LIST_TYPES = (
    "import json; from moto.cloudformation import parsing; "
    "print(json.dumps(sorted(one for one in parsing.get_model_map() if one)))"
)

REFERRED: Mapping[str, tuple[str, ...]] = {
    "AWS::ApiGatewayV2::Api": ("ApiId",),
    "AWS::ApiGatewayV2::Integration": ("IntegrationId",),
    "AWS::CloudFront::CachePolicy": ("CachePolicy", "Id"),
    "AWS::CloudFront::Distribution": ("Distribution", "Id"),
    "AWS::CloudFront::OriginAccessControl": ("OriginAccessControl", "Id"),
    "AWS::CloudFront::OriginRequestPolicy": ("OriginRequestPolicy", "Id"),
    "AWS::CloudFront::ResponseHeadersPolicy": ("ResponseHeadersPolicy", "Id"),
    "AWS::Cognito::UserPool": ("UserPool", "Id"),
    "AWS::Lambda::Alias": ("AliasArn",),
    "AWS::SecretsManager::Secret": ("ARN",),
}
"""Where the response of a creation has the value of ``Ref``, for types that others refer to."""


@functools.cache
def known_types() -> frozenset[str]:
    """The types that moto's CloudFormation creates, in all of this project's templates."""
    asyncio.run(tool_venvs.ensure_one(tool_venvs.MOTO, Progress()))
    command = [tool_venvs.python_path(tool_venvs.MOTO), "-W", "ignore", "-c", _LIST_TYPES]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return frozenset(json.loads(done.stdout)) - FAILING


@dataclass(frozen=True)
class Created:
    """The result of a creation: a physical id, or the reason why there is none."""

    kind: str
    physical_id: str = ""
    refused: str = ""


@dataclass(frozen=True)
class Deployment:
    """A deployed stack, and the result of each creation by logical id."""

    stack: Stack
    created: Mapping[str, Created]

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs of the stack, with physical ids."""
        ids = {name: one.physical_id for name, one in self.created.items() if one.physical_id}
        return {name: identified(self.stack, value, ids) for name, value in self.stack.outputs.items()}


class MotoEngine:
    """A running moto."""

    def __init__(self, folder: Path) -> None:
        """Start it, with its log in ``folder``."""
        asyncio.run(tool_venvs.ensure_one(tool_venvs.MOTO, Progress()))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._clients: dict[str, Any] = {}
        with (folder / "moto.log").open("wb") as log:
            self._process = subprocess.Popen(
                [tool_venvs.python_path(tool_venvs.MOTO), "-m", "moto.server", "-p", str(port)],
                env={"MOTO_ACCOUNT_ID": ACCOUNT, "PATH": os.environ["PATH"], "HOME": str(folder)},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(self._answers, "moto does not answer")

    def stop(self) -> None:
        """End it."""
        asyncio.run(stop(self._process, grace_s=5))

    def _answers(self) -> bool:
        assert self._process.poll() is None, "moto ended at its start"
        try:
            with urllib.request.urlopen(f"{self.url}/moto-api/data.json", timeout=HANG_S) as answer:
                return bool(answer.status == 200)
        except urllib.error.URLError:
            return False

    def client(self, service: str) -> Any:
        """A boto3 client of a service."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,  # type: ignore[call-overload]
                endpoint_url=self.url,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(read_timeout=HANG_S, retries={"total_max_attempts": 1}, inject_host_prefix=False),
            )
        return self._clients[service]

    def reset(self) -> None:
        """Forget everything, and store code and state machines where templates after SAM refer to them."""
        request = urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")
        with urllib.request.urlopen(request, timeout=HANG_S):
            pass
        location = {"LocationConstraint": REGION}
        self.client("s3").create_bucket(Bucket=PACKAGES, CreateBucketConfiguration=location)
        self._upload(CODE, _pack_code())
        for path in (ROOT / "stacks").glob("*.asl.json"):
            self._upload(f"stacks/{path.name}", path.read_bytes())

    def _upload(self, key: str, content: bytes) -> None:
        self.client("s3").put_object(Bucket=PACKAGES, Key=key, Body=content)

    def deploy(self, name: str, path: Path, parameters: Mapping[str, str]) -> Deployment:
        """Deploy a template and its nested ones as the stack ``name``."""
        stack = Stack(path, **parameters)
        self._upload(path.name, json.dumps(prepare(stack, known_types())).encode())
        for logical_id in [one for one, resource in stack.resources.items() if resource["Type"] == NESTED]:
            nested = prepare(stack.nested(logical_id), known_types())
            self._upload(f"stacks/{nested_templates()[logical_id].name}", json.dumps(nested).encode())
        self.client("cloudformation").create_stack(
            StackName=name,
            TemplateURL=f"https://s3.amazonaws.com/{PACKAGES}/{path.name}",
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in stack.parameters.items()],
            Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        created = dict(self._created(name))
        created |= {
            one: Created(stack.resources[one]["Type"], "", "not created") for one in stack.resources.keys() - created
        }
        return Deployment(stack, created | self._create_rest(stack, created))

    def _created(self, name: str) -> Iterator[tuple[str, Created]]:
        client = self.client("cloudformation")
        [described] = client.describe_stacks(StackName=name)["Stacks"]
        assert described["StackStatus"] == "CREATE_COMPLETE", described
        for one in client.describe_stack_resources(StackName=name)["StackResources"]:
            if "ResourceType" in one:
                yield one["LogicalResourceId"], Created(one["ResourceType"], one.get("PhysicalResourceId") or "")
                if one["ResourceType"] == NESTED:
                    yield from self._created(one["PhysicalResourceId"])

    def _create_rest(self, stack: Stack, created: Mapping[str, Created]) -> dict[str, Created]:
        """Create the resources of types that moto's CloudFormation does not know, by requests."""
        ids = {name: one.physical_id for name, one in created.items() if one.physical_id}
        found: dict[str, Created] = {}
        for kind, build in CREATING.items():
            for logical_id, resource in stack.resources.items():
                if resource["Type"] != kind or kind in known_types():
                    continue
                properties = identified(stack, resource.get("Properties", {}), ids)
                try:
                    for request in build(f"{PSEUDO['AWS::StackName']}-{logical_id}".lower(), properties):
                        answer = getattr(self.client(request.service), request.method)(**request.parameters)
                except (ClientError, BotoCoreError) as error:
                    found[logical_id] = Created(kind, "", str(error).splitlines()[0])
                    continue
                place = functools.reduce(lambda node, key: node[key], REFERRED.get(kind, ()), answer)
                ids[logical_id] = place if kind in REFERRED else identifier(kind, logical_id)
                found[logical_id] = Created(kind, ids[logical_id])
        return found


def _pack_code() -> bytes:
    """A package of the transform function, which stands for all code and layers: no engine runs it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in sorted((ROOT / "functions" / "transform").glob("*.py")):
            archive.write(path, path.name)
    return content.getvalue()


def prepare(stack: Stack, known: frozenset[str]) -> Node:
    """The template of ``stack`` after SAM for moto's CloudFormation: without resources of types that are not ``known``.

    References to them become identifiers of AWS's shape; those to an alias, which moto does not create, become those to
    its function. moto 5.2.5 reads no outputs of nested stacks, converts no number that is a key of a mapping, keeps a
    null for AWS::NoValue in a list, splits no reference to a layer, and evaluates no rules.
    """
    document = stack.document
    outputs = {
        f"{logical_id}.Outputs.{output}": identified(stack, value)
        for logical_id, resource in stack.resources.items()
        if resource["Type"] == NESTED
        for output, value in stack.nested(logical_id).outputs.items()
    }
    gone = {name: one for name, one in document["Resources"].items() if one["Type"] not in known}
    kept = {name: one for name, one in deepcopy(document["Resources"]).items() if name not in gone}
    for resource in kept.values():
        named = resource.pop("DependsOn", [])
        if dependencies := [one for one in ([named] if isinstance(named, str) else named) if one not in gone]:
            resource["DependsOn"] = dependencies
    parameters = {
        name: one
        | ({"Type": "String"} if one["Type"] == "Number" else {})
        | ({"Default": str(one["Default"])} if "Default" in one else {})
        for name, one in document.get("Parameters", {}).items()
    }
    rest = {name: one for name, one in document.items() if name not in ("Resources", "Parameters", "Rules")}
    layers = [name for name, one in document["Resources"].items() if one["Type"] == LAYER]
    prepared: Node = _Replacement(gone, layers, outputs, stack.conditions).of({**rest, "Resources": kept})
    return prepared | {"Parameters": parameters}


@dataclass(frozen=True)
class _Replacement:
    """Identifiers in place of references to resources that are ``gone``, and of ``outputs`` of nested stacks."""

    gone: Mapping[str, Node]
    layers: Collection[str]
    outputs: Mapping[str, str]
    conditions: Mapping[str, bool]

    def of(self, node: Any) -> Any:
        match node:
            case list():
                return [self.of(one) for one in node if not self._is_nothing(one)]
            case {"Ref": str(name)} if name in self.gone:
                return self._reference(name)
            case {"Fn::Split": [separator, {"Ref": str(name)}]} if name in self.layers:
                return {"Fn::Split": [separator, identifier(LAYER, name)]}
            case {"Fn::GetAtt": place}:
                path = place if isinstance(place, str) else ".".join(place)
                name, _, attribute = path.partition(".")
                return self._known(path) or {"Fn::GetAtt": [name, attribute]}
            case {"Fn::Sub": argument}:
                text, names = argument if isinstance(argument, list) else (argument, {})
                filled = _IN_BRACES.sub(lambda one: one[0] if one[1] in names else self._known(one[1]) or one[0], text)
                return {"Fn::Sub": [filled, self.of(names)] if names else filled}
            case dict():
                return {key: self.of(one) for key, one in node.items()}
        return node

    def _is_nothing(self, node: Any) -> bool:
        match node:
            case {"Fn::If": [condition, yes, no]}:
                return bool((yes if self.conditions[condition] else no) == {"Ref": "AWS::NoValue"})
        return False

    def _reference(self, name: str) -> Any:
        if self.gone[name]["Type"] == "AWS::Lambda::Alias":
            return {"Fn::GetAtt": [self.gone[name]["Properties"]["FunctionName"]["Ref"], "Arn"]}
        return identifier(self.gone[name]["Type"], name)

    def _known(self, path: str) -> str:
        """The value of a reference that moto cannot resolve, "" for the others."""
        name, _, attribute = path.partition(".")
        return identifier(self.gone[name]["Type"], name, attribute) if name in self.gone else self.outputs.get(path, "")
