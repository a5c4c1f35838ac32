"""What makes a deployment publish a new version of the function, and what does not."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from observability.alarm import logical_id
from observability.burning import release_alarms

from .building import LAYERS, build, content_hash
from .stack import ROOT, Stack, broken_rules, references, template, transformed

NOT_OF_A_VERSION = {
    "AutoPublishAlias",
    "ReservedConcurrentExecutions",
    "ProvisionedConcurrencyConfig",
    "VersionDescription",
    "DeploymentPreference",
    "Events",
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


PUBLISHED = [name for name, one in template()["Resources"].items() if "AutoPublishAlias" in one.get("Properties", {})]

TOLD_BY_ANOTHER = {"InferFunction": {"EndpointImageUri"}}
"""Parameters that only say whether another one is used."""


def test_what_serves_or_is_released_gradually_is_published() -> None:
    assert set(PUBLISHED) == {"TransformFunction", "InferFunction", "UploadFunction", "SimilarFunction"}


@pytest.mark.parametrize("function", PUBLISHED)
def test_a_new_value_of_a_parameter_publishes_a_version(function: str) -> None:
    """SAM's hash misses it, so the version's description, whose change replaces it, names every such value."""
    document = template()
    properties = document["Globals"]["Function"] | document["Resources"][function]["Properties"]
    of_version = {name: value for name, value in properties.items() if name not in NOT_OF_A_VERSION}
    used = set(references(of_version))
    for condition in used & set(document["Conditions"]):
        used |= set(references(document["Conditions"][condition]))
    described = set(references(properties["VersionDescription"]))
    assert (used & set(document["Parameters"])) - TOLD_BY_ANOTHER.get(function, set()) == described
    assert properties["AutoPublishAliasAllProperties"] is True


def test_a_description_says_the_values() -> None:
    def descriptions(**parameters: str) -> set[str]:
        versions = Stack(InferenceMode="lambda", **parameters).of_type("AWS::Lambda::Version")
        return {str(version["Description"]) for version in versions.values()}

    plain = descriptions()
    assert len(plain) == len(PUBLISHED)
    assert len(plain - descriptions(Dialects="on")) == 1
    assert len(plain - descriptions(SourceBucket="photos")) == 2
    assert len(plain - descriptions(Arch="x86_64")) == len(PUBLISHED)


@pytest.mark.parametrize("function", PUBLISHED)
def test_the_longest_description_of_a_version_fits(function: str) -> None:
    document = template()
    written = document["Resources"][function]["Properties"]["VersionDescription"]
    longest = {name: _longest(name, document["Parameters"][name]) for name in references(written)}
    stack = Stack(**({"InferenceMode": "endpoint"} | longest | {"InferenceMode": "endpoint"}))
    [version] = [one for name, one in stack.of_type("AWS::Lambda::Version").items() if name.startswith(function)]
    assert len(version["Description"]) <= MAX_DESCRIPTION_CHARACTERS


LONGEST = {"SourceBucket": 63, "EndpointName": 63, "WarmStart": 9}
"""Where patterns limit texts."""


def _longest(name: str, declared: dict[str, object]) -> str:
    """The longest value that a parameter takes, or a text as long."""
    if isinstance(allowed := declared.get("AllowedValues"), list):
        return str(max(allowed, key=len))
    if name in LONGEST:
        return "9" * LONGEST[name]
    return "9" * (len(str(declared["MaxValue"])) if declared["Type"] == "Number" else int(str(declared["MaxLength"])))


# ----------------------------------------------------------------- releases

GRADUAL = [kind for kind in template()["Parameters"]["Deployments"]["AllowedValues"] if kind != "AllAtOnce"]


def test_versions_get_all_requests_at_once_unless_asked_for() -> None:
    stack = Stack()
    assert not [one for one in stack.resources.values() if one["Type"].startswith("AWS::CodeDeploy")]
    assert not [one for one in stack.resources.values() if "UpdatePolicy" in one]


@pytest.mark.parametrize("kind", GRADUAL)
@pytest.mark.parametrize("inference", ["off", "lambda"])
def test_alarms_take_a_version_back(kind: str, inference: str) -> None:
    """Those that are quick enough for minutes, of objectives that the function has a part in."""
    stack = Stack(Deployments=kind, InferenceMode=inference)
    groups = stack.of_type("AWS::CodeDeploy::DeploymentGroup")
    published = [name for name in PUBLISHED if name in stack.resources]
    assert set(groups) == {f"{name}DeploymentGroup" for name in published}
    for function in published:
        group = groups[f"{function}DeploymentGroup"]
        assert group["DeploymentConfigName"] == f"CodeDeployDefault.Lambda{kind}"
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        names = [alarm["Name"].strip("<>") for alarm in group["AlarmConfiguration"]["Alarms"]]
        assert names == [logical_id(name) for name in release_alarms(function.removesuffix("Function").lower())]
        assert set(names) <= set(stack.resources)  # with Alarms=essential, the default
        assert stack.resources[f"{function}Aliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]


def test_a_gradual_release_needs_alarms() -> None:
    assert len(broken_rules(Deployments=GRADUAL[0], Alarms="off")) == 1
    assert broken_rules(Deployments=GRADUAL[0], Alarms="essential") == set()


def test_what_is_released_gradually_is_called_by_its_alias() -> None:
    stack = Stack(InferenceMode="lambda")
    uris = {one["IntegrationUri"] for one in stack.of_type("AWS::ApiGatewayV2::Integration").values()}
    assert uris == {"<UploadFunctionAliaslive>", "<SimilarFunctionAliaslive>"}
    sources = stack.of_type("AWS::Lambda::EventSourceMapping")
    called = {one["FunctionName"] for name, one in sources.items() if name.startswith("Infer")}
    assert called == {"<InferFunctionAliaslive>"}


def test_layers_of_old_versions_stay() -> None:
    layers = Stack().of_type("AWS::Lambda::LayerVersion")
    assert len(layers) == len(LAYERS)
    assert {Stack().resources[name]["DeletionPolicy"] for name in layers} == {"Retain"}


def test_scaling_options_are_off_until_asked_for() -> None:
    plain, version = Stack(ReservedConcurrency="0"), "TransformFunction"
    assert not {"ReservedConcurrentExecutions", "SnapStart"} & set(plain.properties(version))
    assert "ProvisionedConcurrencyConfig" not in plain.properties("TransformFunctionAliaslive")
    asked = Stack(ReservedConcurrency="7", WarmStart="2", Arch="x86_64")
    assert asked.properties(version)["ReservedConcurrentExecutions"] == "7"
    assert "SnapStart" not in asked.properties(version)
    snapped = Stack(WarmStart="snapstart")
    assert snapped.properties(version)["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert "ProvisionedConcurrencyConfig" not in snapped.properties("TransformFunctionAliaslive")
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
    for function in ("IngestFunction", "RefineFunction", "SceneFunction", "LibraryFunction"):
        assert layers.pop(function) == {"DarkroomLayer", "ImagingLayer", "AwsLayer"}
    assert set(map(frozenset, layers.values())) == {frozenset({"DarkroomLayer", "AwsLayer"})}
