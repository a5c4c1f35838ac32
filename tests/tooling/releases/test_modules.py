"""Tests of the Terraform module of a release: its files are parsed and compared with the template."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import hcl2
import pytest

from cli.preflight.templates import fill_defaults
from cli.releases.files import PREFIX, list_needed
from tools.release.modules import to_snake_case

from .modules import TEMPLATE, write_release


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_release(tmp_path_factory.mktemp("modules") / "release")


@pytest.fixture(scope="module")
def variables(release: Path) -> Any:
    return read(release, "terraform/variables.tf.json")


def read(release: Path, path: str) -> Any:
    return json.loads((release / path).read_text(encoding="utf-8"))


def parse(text: str) -> Any:
    return hcl2.loads(text + "\n")


def references(text: str, kind: str) -> set[str]:
    return set(re.findall(rf"\b{kind}\.([a-z0-9_]+)", text))


def conditions(variables: Any) -> list[str]:
    found = [check["condition"] for one in variables["variable"].values() for check in one.get("validation", [])]
    return [condition.removeprefix("${").removesuffix("}") for condition in found]


def patterns(variables: Any) -> list[str]:
    found = re.findall(r'regex\(("(?:[^"\\]|\\.)*")', "\n".join(conditions(variables)))
    return [json.loads(one).replace("$${", "${") for one in found]


def test_each_parameter_is_a_variable_with_its_type_and_default(variables: Any) -> None:
    kinds = {"Number": "number", "CommaDelimitedList": "list(string)", "String": "string"}
    assert set(variables["variable"]) == {to_snake_case(name) for name in TEMPLATE["Parameters"]}
    assert set(variables["locals"]["parameters"]) == set(TEMPLATE["Parameters"])
    for name, parameter in TEMPLATE["Parameters"].items():
        variable = variables["variable"][to_snake_case(name)]
        assert variable["type"] == kinds[parameter["Type"]]
        assert variable["description"] == parameter["Description"]
        default = variable["default"]
        assert (",".join(default) if isinstance(default, list) else default) == parameter["Default"]
        assert references(variables["locals"]["parameters"][name], "var") == {to_snake_case(name)}


def test_what_a_parameter_accepts_is_validated(variables: Any) -> None:
    for name, parameter in TEMPLATE["Parameters"].items():
        checks = " ".join(
            check["condition"] for check in variables["variable"][to_snake_case(name)].get("validation", [])
        )
        assert ("contains(" in checks) == ("AllowedValues" in parameter), name
        # CloudFormation alone checks the one pattern that Terraform's regular expressions do not have.
        assert ("regex(" in checks) == ("AllowedPattern" in parameter and name != "EndpointScaling"), name
        assert checks.count(">=") + checks.count("<=") == len({"MinValue", "MaxValue", "MaxLength"} & set(parameter)), (
            name
        )
    for pattern in patterns(variables):
        assert re.compile(pattern)


def test_each_output_is_one_of_the_module(release: Path) -> None:
    outputs = read(release, "terraform/outputs.tf.json")["output"]
    assert set(outputs) == {to_snake_case(name) for name in TEMPLATE["Outputs"]}
    for name in TEMPLATE["Outputs"]:
        assert f'.outputs, "{name}", null)' in outputs[to_snake_case(name)]["value"]


def test_every_expression_is_one_of_terraform_and_refers_to_what_exists(release: Path, variables: Any) -> None:
    outputs = read(release, "terraform/outputs.tf.json")["output"]
    values = [*variables["locals"]["parameters"].values(), *(one["value"] for one in outputs.values())]
    for expression in [*conditions(variables), *(value[2:-1] for value in values)]:
        parse(f"value = {expression}")
    main = (release / "terraform" / "main.tf").read_text()
    parsed = parse(main)
    declared = {name for one in parsed["variable"] for name in one}
    assert references(main, "var") == declared
    assert not declared & set(variables["variable"])
    assert references(main, "local") - {"parameters"} <= set(parsed["locals"][0])


def test_the_example_gives_variables_of_the_module_and_reads_its_outputs(release: Path, variables: Any) -> None:
    text = (release / "terraform" / "examples" / "domain" / "main.tf").read_text()
    module = parse(text)["module"][0]["darkroom"]
    given = {name for name in module if not name.startswith("__")} - {"source"}
    assert given - {"release_bucket"} <= set(variables["variable"])
    assert references(text, "module.darkroom") <= set(read(release, "terraform/outputs.tf.json")["output"])


@pytest.mark.skipif(shutil.which("go") is None, reason="needs Go, whose regular expressions Terraform has")
@pytest.mark.slow
def test_terraform_can_compile_every_pattern(variables: Any, tmp_path: Path) -> None:
    calls = "\n".join(f"regexp.MustCompile({json.dumps(one)})" for one in patterns(variables))
    program = tmp_path / "main.go"
    program.write_text(f'package main\n\nimport "regexp"\n\nfunc main() {{\n{calls}\n}}\n', encoding="utf-8")
    subprocess.run(["go", "run", str(program)], check=True, cwd=tmp_path)


OPTIONS = ("InferenceMode", "ContentCredentials", "Dialects", "Refine", "BulkJobs", "Alarms", "SimilarityStore")


@pytest.mark.parametrize("option", OPTIONS)
def test_the_files_of_a_stack_are_those_that_it_reads(release: Path, option: str) -> None:
    arch = "arm64"
    template = read(release, f"templates/darkroom-{arch}.json")
    for value in TEMPLATE["Parameters"][option]["AllowedValues"]:
        places = {"ReleaseBucket": "bucket", PREFIX: "darkroom/9.9.9/"}
        values = fill_defaults(template, {option: value, **places}) | places
        needed = set(list_needed(template, values, "eu-central-1"))
        taken = {
            path
            for path, uses in read(release, "files.json").items()
            if all(values[name] in accepted for name, accepted in uses.items())
        }
        assert needed | {f"templates/darkroom-{arch}.json"} <= taken
        assert {path for path in taken - needed if "Layer" in path} == set()
