"""Packaged templates: references to files of the checkout become keys below the prefix of a release in a bucket."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cli.releases.files import BUCKET, PREFIX

PARAMETERS: Mapping[str, Mapping[str, str]] = {
    BUCKET: {
        "Type": "String",
        "Description": "Bucket with the files of the release, in the region of the stack.",
        "AllowedPattern": "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    },
    PREFIX: {
        "Type": "String",
        "Description": "Prefix of the files of the release in ReleaseBucket; it ends with a slash.",
        "AllowedPattern": "([^/]+/)+",
    },
}
"""Parameters of a packaged template beside its own."""

LAYER = "AWS::Serverless::LayerVersion"
CODE: Mapping[str, str] = {
    "AWS::Serverless::Function": "CodeUri",
    LAYER: "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}
"""The property of a type that names a file or folder, relative to the template."""

NESTED, NESTED_PACKAGED = "AWS::Serverless::Application", "AWS::CloudFormation::Stack"


@dataclass(frozen=True, slots=True)
class Source:
    """What a resource of a template refers to: ``path`` is relative to the template."""

    logical_id: str
    kind: str
    path: str


def package_template(
    template: Mapping[str, Any], store: Callable[[Source], str], default_arch: str = ""
) -> dict[str, Any]:
    """Return the template with files of a release in place of paths.

    ``store`` writes what a resource refers to, and returns its path in the release. ``default_arch`` is the processor
    that the layers are built for: the only allowed value of the parameter ``Arch``.
    """
    packaged = copy.deepcopy(dict(template))
    refers = False
    for logical_id, resource in packaged["Resources"].items():
        kind, properties = resource["Type"], resource.get("Properties", {})
        if kind in CODE and isinstance(path := properties.get(CODE[kind]), str):
            stored = store(Source(logical_id, kind, path))
            properties[CODE[kind]] = {"Bucket": {"Ref": BUCKET}, "Key": {"Fn::Sub": f"${{{PREFIX}}}{stored}"}}
        elif kind == NESTED:
            stored = store(Source(logical_id, kind, properties.pop("Location")))
            _nest(resource, stored)
        else:
            continue
        resource.get("Metadata", {}).pop("BuildMethod", None)
        resource.get("Metadata", {}).pop("BuildArchitecture", None)
        if resource.get("Metadata") == {}:
            del resource["Metadata"]
        refers = True
    if refers:
        packaged["Parameters"] = {**packaged.get("Parameters", {}), **PARAMETERS}
    if default_arch and "Arch" in packaged.get("Parameters", {}):
        packaged["Parameters"]["Arch"] |= {"Default": default_arch, "AllowedValues": [default_arch]}
    return packaged


def _nest(resource: dict[str, Any], stored: str) -> None:
    """Turn SAM's application into the nested stack that it would become, at an address in the release's bucket."""
    resource["Type"] = NESTED_PACKAGED
    properties = resource["Properties"]
    address = f"https://s3.${{AWS::Region}}.${{AWS::URLSuffix}}/${{{BUCKET}}}/${{{PREFIX}}}{stored}"
    properties["TemplateURL"] = {"Fn::Sub": address}
    if isinstance(tags := properties.get("Tags"), dict):
        properties["Tags"] = [{"Key": name, "Value": value} for name, value in tags.items()]
