"""What makes a deployment publish a new version of the function, and what does not."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from .building import LAYERS, build, content_hash
from .stack import ROOT, Stack, references, template, transformed

NOT_OF_A_VERSION = {
    "AutoPublishAlias",
    "ReservedConcurrentExecutions",
    "ProvisionedConcurrencyConfig",
    "VersionDescription",
}
"""Properties of a SAM function that belong to the alias or to the function as a whole."""

MAX_DESCRIPTION_CHARACTERS = 256


def identities(code: dict[str, str]) -> dict[str, str]:
    """Logical ids after SAM, by what they start with."""
    ids = transformed(code)["Resources"]
    starts = (*LAYERS, "TransformFunctionVersion")
    return {start: next(name for name in ids if name.startswith(start)) for start in starts}


def alias_target(code: dict[str, str]) -> str:
    return transformed(code)["Resources"]["TransformFunctionAliaslive"]["Properties"]["FunctionVersion"]["Fn::GetAtt"][
        0
    ]


def test_a_change_in_layer_code_alone_is_deployed(tmp_path: Path) -> None:
    source = tmp_path / "layers" / "darkroom"
    shutil.copytree(ROOT / "layers", source.parent, symlinks=True)
    first = {"DarkroomLayer": content_hash(build("DarkroomLayer", "arm64", tmp_path / "first", source))}
    with (source / "darkroom" / "errors.py").open("a", encoding="utf-8") as module:
        module.write("\nCHANGED = True\n")
    second = {"DarkroomLayer": content_hash(build("DarkroomLayer", "arm64", tmp_path / "second", source))}

    before, after = identities(first), identities(second)
    assert before["DarkroomLayer"] != after["DarkroomLayer"]
    assert before["TransformFunctionVersion"] != after["TransformFunctionVersion"]
    assert before["ImagingLayer"] == after["ImagingLayer"]
    assert alias_target(second) == after["TransformFunctionVersion"]


def test_an_equal_build_publishes_nothing() -> None:
    code = {"DarkroomLayer": "0a", "ImagingLayer": "0b", "TransformFunction": "0c"}
    assert identities(code) == identities(dict(code))


@pytest.mark.parametrize("changed", ["DarkroomLayer", "ImagingLayer", "TransformFunction"])
def test_each_upload_publishes_a_version(changed: str) -> None:
    assert identities({})["TransformFunctionVersion"] != identities({changed: "other"})["TransformFunctionVersion"]


def test_a_new_value_of_a_parameter_publishes_a_version() -> None:
    """SAM's hash misses it, so the version's description, whose change replaces it, names every such value."""
    document = template()
    properties = document["Resources"]["TransformFunction"]["Properties"]
    of_version = {name: value for name, value in properties.items() if name not in NOT_OF_A_VERSION}
    used = set(references(of_version))
    for condition in used & set(document["Conditions"]):
        used |= set(references(document["Conditions"][condition]))
    described = set(references(properties["VersionDescription"]))
    assert used & set(document["Parameters"]) == described

    def description(**parameters: str) -> str:
        [version] = Stack(**parameters).of_type("AWS::Lambda::Version").values()
        return str(version["Description"])

    assert description() != description(AccessMode="open")
    assert description() != description(AlwaysRedact="people/=faces")


@pytest.mark.parametrize(
    "given",
    [
        {"SourceBucket": "", "SourcePrefix": "masters/"},
        {"AlwaysRedact": ""},
        {"ImmutablePrefixes": "", "AlwaysRedact": "people/=faces,docs/=text,letters/=text,eu/staff/=all"},
    ],
    ids=["own masters", "nothing redacted", "nothing immutable"],
)
def test_the_longest_description_of_a_version_fits(given: dict[str, str]) -> None:
    """With every text at its longest it does not, and Lambda refuses the deployment: docs/deploy.md says so."""
    document = template()
    written = document["Resources"]["TransformFunction"]["Properties"]["VersionDescription"]
    longest = {name: "9" * _longest(name, document["Parameters"][name]) for name in references(written)}
    [version] = Stack(**(longest | given)).of_type("AWS::Lambda::Version").values()
    assert len(version["Description"]) <= MAX_DESCRIPTION_CHARACTERS


def _longest(name: str, declared: dict[str, object]) -> int:
    """Characters of the longest value that a parameter takes."""
    if name == "SourceBucket":
        return 63
    if isinstance(allowed := declared.get("AllowedValues"), list):
        return max(len(value) for value in allowed)
    return len(str(declared["MaxValue"])) if declared["Type"] == "Number" else int(str(declared["MaxLength"]))


def test_layers_of_old_versions_stay() -> None:
    layers = Stack().of_type("AWS::Lambda::LayerVersion")
    assert len(layers) == len(LAYERS)
    assert {Stack().resources[name]["DeletionPolicy"] for name in layers} == {"Retain"}


def test_scaling_options_are_off_until_asked_for() -> None:
    plain, version = Stack(ReservedConcurrency="0"), "TransformFunction"
    assert not {"ReservedConcurrentExecutions", "SnapStart"} & set(plain.properties(version))
    assert "ProvisionedConcurrencyConfig" not in plain.properties("TransformFunctionAliaslive")
    asked = Stack(ReservedConcurrency="7", ProvisionedConcurrency="2", SnapStart="on", Arch="x86_64")
    assert asked.properties(version)["ReservedConcurrentExecutions"] == "7"
    assert asked.properties(version)["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert asked.properties(version)["Architectures"] == ["x86_64"]
    alias = asked.properties("TransformFunctionAliaslive")
    assert alias["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": "2"}


def test_one_parameter_sets_the_processor_of_function_and_layers() -> None:
    resources = template()["Resources"]
    for name in LAYERS:
        assert resources[name]["Metadata"] == {"BuildMethod": "makefile", "BuildArchitecture": {"Ref": "Arch"}}
    for arch in ("arm64", "x86_64"):
        stack = Stack(Arch=arch)
        assert {tuple(f["Architectures"]) for f in stack.of_type("AWS::Lambda::Function").values()} == {(arch,)}
        layers = stack.of_type("AWS::Lambda::LayerVersion").values()
        assert {tuple(layer["CompatibleArchitectures"]) for layer in layers} == {(arch,)}


def test_transform_carries_only_what_it_imports() -> None:
    stack = Stack()
    layers = {
        name: {re.sub("[0-9a-f]{10}>$", "", layer.removeprefix("<")) for layer in function["Layers"]}
        for name, function in stack.of_type("AWS::Lambda::Function").items()
    }
    assert layers.pop("TransformFunction") == {"DarkroomLayer", "ImagingLayer"}
    assert layers.pop("IngestFunction") == {"DarkroomLayer", "ImagingLayer", "AwsLayer"}
    assert set(map(frozenset, layers.values())) == {frozenset({"DarkroomLayer", "AwsLayer"})}
