"""Changes that publish a new version of a function, and changes that do not."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from observability.alarm import logical_id
from observability.burn_rate import release_alarms

from .building import LAYERS, build, content_hash
from .stack import PSEUDO, ROOT, Node, Stack, broken_rules, nested_templates, references, template, transformed

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
    """Logical ids after SAM, by their prefixes."""
    ids = transformed(code)["Resources"]
    starts = (*LAYERS, "TransformFunctionVersion")
    return {start: next(name for name in ids if name.startswith(start)) for start in starts}


def alias_target(code: dict[str, str]) -> str:
    return transformed(code)["Resources"]["TransformFunctionAliaslive"]["Properties"]["FunctionVersion"]["Fn::GetAtt"][
        0
    ]


@pytest.mark.slow
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
"""Parameters that only enable another one."""


def test_what_serves_or_is_released_gradually_is_published() -> None:
    assert set(PUBLISHED) == {"TransformFunction", "InferFunction", "UploadFunction", "SimilarFunction"}


@pytest.mark.parametrize("function", PUBLISHED)
def test_a_new_value_of_a_parameter_publishes_a_version(function: str) -> None:
    """SAM's hash misses it, so the version's description, whose change replaces it, names every such value."""
    document = template()
    properties = document["Globals"]["Function"] | document["Resources"][function]["Properties"]
    of_version = {name: value for name, value in properties.items() if name not in NOT_OF_A_VERSION}
    used = parameters_of(document, of_version)
    described = parameters_of(document, properties["VersionDescription"])
    assert used - TOLD_BY_ANOTHER.get(function, set()) == described
    assert properties["AutoPublishAliasAllProperties"] is True


@pytest.mark.parametrize("function", PUBLISHED)
def test_a_layer_with_a_condition_publishes_a_version(function: str) -> None:
    """SAM's hash has only layers without a condition, so the version's description has the number of this one's."""
    properties = template()["Resources"][function]["Properties"]
    conditional = [layer for layer in properties["Layers"] if "Ref" not in layer]
    layers = {name for name in references(conditional) if name.endswith("Layer")}
    assert layers <= set(references(properties["VersionDescription"]))
    assert ("DialectsLayer" in layers) == (function == "TransformFunction")


def parameters_of(document: Node, node: Any) -> set[str]:
    """The parameters of ``document`` that the value of ``node`` depends on: directly, by conditions, by properties
    whose change replaces a resource, and through the outputs of nested stacks."""
    found: set[str] = set()
    seen: set[str] = set()
    names = set(references(node))
    for nested, output in _outputs(node):
        names |= _parameters_of_output(document, nested, output)
    while names:
        seen |= names
        found |= names & set(document["Parameters"])
        following = {used for name in names for used in references(_what_identifies(document, name))}
        names = following - seen
    return found


def _parameters_of_output(document: Node, nested: str, output: str) -> set[str]:
    """The names in the root that decide on an output of a nested stack."""
    child, properties = template(nested_templates()[nested]), document["Resources"][nested]["Properties"]
    declared = child["Outputs"][output]
    passed = parameters_of(child, [declared["Value"], {"Condition": declared.get("Condition", "")}])
    return set(references([properties["Parameters"].get(name) for name in passed]))


def _what_identifies(document: Node, name: str) -> Any:
    """The parts of an identifier or a condition of the template: CloudFormation replaces a resource if a property
    differs that its schema calls create-only."""
    if name in document["Conditions"]:
        return document["Conditions"][name]
    resource = document["Resources"].get(name, {"Type": "AWS::Serverless::"})
    if resource["Type"].startswith(("AWS::Serverless::", "Custom::")):
        return None
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(PSEUDO["AWS::Region"], resource["Type"]).schema
    create_only = {pointer.split("/")[2] for pointer in schema.get("createOnlyProperties", [])}
    return [value for key, value in resource.get("Properties", {}).items() if key in create_only]


def _outputs(node: Any) -> Iterator[tuple[str, str]]:
    """Every output of a nested stack in ``node``."""
    if isinstance(node, list):
        for item in node:
            yield from _outputs(item)
    elif isinstance(node, dict):
        for key, item in node.items():
            if key == "Fn::GetAtt":
                nested, _, attribute = (".".join(item) if isinstance(item, list) else item).partition(".")
                if attribute.startswith("Outputs."):
                    yield nested, attribute.removeprefix("Outputs.")
            else:
                yield from _outputs(item)


def test_outputs_of_nested_stacks_are_followed_to_what_replaces_them() -> None:
    def of(output: str) -> set[str]:
        return parameters_of(template(), {"Fn::GetAtt": ["InferenceStack", f"Outputs.{output}"]})

    assert of("EndpointName") >= {"EndpointInstanceType"}
    assert of("VectorIndexArn") >= {"KmsKeyArn", "SimilarityStore"}
    assert not (of("EndpointName") | of("VectorIndexArn")) & {"EndpointScaling", "CanaryImageUri", "VpcSubnetIds"}


@pytest.mark.slow
def test_a_description_names_the_values() -> None:
    def descriptions(**parameters: str) -> set[str]:
        versions = Stack(InferenceMode="lambda", **parameters).of_type("AWS::Lambda::Version")
        return {str(version["Description"]) for version in versions.values()}

    plain = descriptions()
    assert len(plain) == len(PUBLISHED)
    assert len(plain - descriptions(Dialects="on")) == 1
    assert len(plain - descriptions(SourceBucket="photos")) == 2
    assert len(plain - descriptions(Arch="x86_64")) == len(PUBLISHED)
    assert len(plain - descriptions(EndpointInstanceType="ml.g5.xlarge")) == 1
    assert len(plain - descriptions(KmsKeyArn=KEY)) == 3
    assert descriptions(KmsKeyArn=KEY) != descriptions(KmsKeyArn=f"{KEY}a")


@pytest.mark.sample(2)
@pytest.mark.parametrize("function", PUBLISHED)
def test_the_longest_description_of_a_version_fits(function: str) -> None:
    document = template()
    written = document["Resources"][function]["Properties"]["VersionDescription"]
    longest = {name: _longest(name, document["Parameters"][name]) for name in parameters_of(document, written)}
    stack = Stack(**({"InferenceMode": "endpoint"} | longest | {"InferenceMode": "endpoint"}))
    [version] = [one for name, one in stack.of_type("AWS::Lambda::Version").items() if name.startswith(function)]
    assert len(version["Description"]) <= MAX_DESCRIPTION_CHARACTERS


KEY = "arn:aws:kms:eu-central-1:111122223333:key/0f8e1a52-3c1d-4c11-8f0e-3b1f6b0c9d1"
LONGEST = {
    "SourceBucket": "9" * 63,
    "EndpointName": "9" * 63,
    "WarmStart": "snapstart",
    "KmsKeyArn": f"{KEY.rpartition('/')[0]}/{'9' * 36}",
}
"""Where patterns limit texts."""


def _longest(name: str, declared: dict[str, object]) -> str:
    """The longest value that a parameter takes, or a text as long."""
    if isinstance(allowed := declared.get("AllowedValues"), list):
        return str(max(allowed, key=len))
    if name in LONGEST:
        longest, pattern = LONGEST[name], str(declared["AllowedPattern"])
        assert re.search(pattern, longest) and not re.search(pattern, f"{longest}9"), f"{name} is limited otherwise"
        return longest
    return "9" * (len(str(declared["MaxValue"])) if declared["Type"] == "Number" else int(str(declared["MaxLength"])))


# ----------------------------------------------------------------- releases

GRADUAL = [kind for kind in template()["Parameters"]["Deployments"]["AllowedValues"] if kind != "AllAtOnce"]


def test_versions_get_all_requests_at_once_unless_requested() -> None:
    stack = Stack()
    assert not [one for one in stack.resources.values() if one["Type"].startswith("AWS::CodeDeploy")]
    assert not [one for one in stack.resources.values() if "UpdatePolicy" in one]


@pytest.mark.sample(2)
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
    stack = Stack(InferenceMode="lambda", Dialects="on")
    layers = stack.of_type("AWS::Lambda::LayerVersion")
    assert len(layers) == len(LAYERS)
    assert {stack.resources[name]["DeletionPolicy"] for name in layers} == {"Retain"}


def test_scaling_options_are_off_until_requested() -> None:
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


@pytest.mark.slow
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
    stack = Stack(ContentCredentials="off")
    layers = {
        name: {re.sub("[0-9a-f]{10}>$", "", layer.removeprefix("<")) for layer in function["Layers"]}
        for name, function in stack.of_type("AWS::Lambda::Function").items()
    }
    assert layers.pop("TransformFunction") == {"DarkroomLayer", "ImagingLayer", "FontsLayer"}
    for function in ("IngestFunction", "RefineFunction"):
        assert layers.pop(function) == {"DarkroomLayer", "ImagingLayer", "IngestLayer", "FontsLayer"}
        signing = Stack(ContentCredentials="on").properties(function)["Layers"]
        assert len(signing) == 4, "one of Lambda's five layers is for a company's own"
        assert re.match("<CredentialsLayer", signing[3])
    for function in ("SceneFunction", "LibraryFunction"):
        assert layers.pop(function) == {"DarkroomLayer", "ImagingLayer", "PipelineLayer", "FontsLayer"}
    assert set(map(frozenset, layers.values())) == {frozenset({"DarkroomLayer", "PipelineLayer"})}
