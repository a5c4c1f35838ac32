"""Tests of what a release contains: packaged templates, archives, notes and the bill of materials."""

from __future__ import annotations

import json
import os
import re
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cli.releases.files import BUCKET, PREFIX
from cli.releases.upgrading import list_steps, read_version
from cli.template_values import read_template
from darkroom import VERSION
from local.paths import ROOT
from tools.release.archives import list_tree, write_archive
from tools.release.building import Builder, list_stacks
from tools.release.layers import BuildError
from tools.release.materials import write_bill
from tools.release.notes import NoNotes, extract_notes
from tools.release.packaging import CODE, NESTED, Source, package_template


def package(resource: dict[str, Any], **sections: Any) -> tuple[dict[str, Any], list[Source]]:
    """The packaged template of one resource, and the sources that it stored."""
    stored: list[Source] = []

    def store(source: Source) -> str:
        stored.append(source)
        return f"archives/{source.logical_id}-0123.zip"

    return package_template({"Resources": {"One": resource}, **sections}, store, "arm64"), stored


@pytest.mark.parametrize("kind", list(CODE))
def test_a_path_becomes_a_key_below_the_prefix_of_the_release(kind: str) -> None:
    resource = {"Type": kind, "Properties": {CODE[kind]: "src"}, "Metadata": {"BuildMethod": "makefile"}}
    packaged, stored = package(resource)
    assert stored == [Source("One", kind, "src")]
    key = {"Fn::Sub": f"${{{PREFIX}}}archives/One-0123.zip"}
    assert packaged["Resources"]["One"] == {
        "Type": kind,
        "Properties": {CODE[kind]: {"Bucket": {"Ref": BUCKET}, "Key": key}},
    }
    assert set(packaged["Parameters"]) == {BUCKET, PREFIX}
    assert resource["Properties"] == {CODE[kind]: "src"}


def test_an_application_becomes_a_nested_stack_with_its_parameters() -> None:
    packaged, _ = package(
        {
            "Type": NESTED,
            "Condition": "On",
            "Properties": {"Location": "a.yaml", "Parameters": {"A": 1}, "Tags": {"b": "c"}},
        }
    )
    assert packaged["Resources"]["One"] == {
        "Type": "AWS::CloudFormation::Stack",
        "Condition": "On",
        "Properties": {
            "Parameters": {"A": 1},
            "Tags": [{"Key": "b", "Value": "c"}],
            "TemplateURL": {
                "Fn::Sub": f"https://s3.${{AWS::Region}}.${{AWS::URLSuffix}}/${{{BUCKET}}}/${{{PREFIX}}}archives/One-0123.zip"
            },
        },
    }


def test_a_template_of_one_processor_refuses_the_other() -> None:
    arch = {"Arch": {"Type": "String", "Default": "x86_64", "AllowedValues": ["arm64", "x86_64"]}}
    packaged, _ = package({"Type": "AWS::SNS::Topic"}, Parameters=arch)
    assert packaged["Parameters"] == {"Arch": {"Type": "String", "Default": "arm64", "AllowedValues": ["arm64"]}}
    assert arch["Arch"]["Default"] == "x86_64"


@pytest.mark.parametrize("path", list_stacks().values(), ids=list(list_stacks()))
def test_every_reference_of_every_template_is_packaged(path: Path) -> None:
    stored: list[Source] = []

    def store(source: Source) -> str:
        stored.append(source)
        return source.logical_id

    packaged = package_template(read_template(path), store)
    assert stored
    assert all((path.parent / source.path).exists() for source in stored)
    assert not re.search(r'"(CodeUri|ContentUri|DefinitionUri|Location|TemplateURL)": "', json.dumps(packaged))
    assert len(json.dumps(packaged)) < 1_000_000  # CloudFormation's limit of a template in a bucket


def test_archives_of_equal_files_are_equal(tmp_path: Path) -> None:
    for name, order in (("a", ["x", "y/z", "run"]), ("b", ["run", "y/z", "x"])):
        for file in order:
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file)
            os.utime(path, (len(name) * 1e9, ord(name) * 1e7))
        (tmp_path / name / "run").chmod(0o700 if name == "a" else 0o755)
        write_archive(list_tree(tmp_path / name), tmp_path / f"{name}.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in archive.infolist()}
    assert modes == {"run": 0o755, "x": 0o644, "y/z": 0o644}  # Lambda's user is not the owner


CHANGELOG = """# Changelog

## [Unreleased]

## [1.1.0] - 2027-01-02

- **Run [this](docs/this.md) once,
  then that.** It is better.
- Better.

## [1.0.0] - 2027-01-01

- **Rename a parameter.**

## [0.9.0] - 2026-12-31

- **Long ago.**

[1.0.0]: https://example.com
"""


def test_notes_are_the_section_of_the_version() -> None:
    assert extract_notes(CHANGELOG, "1.0.0") == "- **Rename a parameter.**\n"
    assert extract_notes(CHANGELOG, "0.9.0") == "- **Long ago.**\n"
    with pytest.raises(NoNotes, match=r"no section \[2\.0\.0\]"):
        extract_notes(CHANGELOG, "2.0.0")


def test_notes_of_this_version_exist() -> None:
    assert extract_notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), VERSION)


def test_every_file_has_the_version_of_the_checkout() -> None:
    projects = [ROOT / "pyproject.toml", *(ROOT / "packages").glob("*/pyproject.toml")]
    versions = {tomllib.loads(path.read_text(encoding="utf-8"))["project"]["version"] for path in projects}
    versions.add(json.loads((ROOT / "frontends" / "package.json").read_text(encoding="utf-8"))["version"])
    pages = (ROOT / "README.md", ROOT / "packages" / "darkroom" / "README.md")
    versions |= {
        found for page in pages for found in re.findall(r"darkroom-([\d.]+\d)", page.read_text(encoding="utf-8"))
    }
    assert versions == {VERSION}


@pytest.mark.parametrize(
    ("installed", "steps"),
    [
        ("1.1.0", []),
        ("1.0.0", [("1.1.0", "Run this once, then that.")]),
        ("0.9.0", [("1.1.0", "Run this once, then that."), ("1.0.0", "Rename a parameter.")]),
        ("", [("1.1.0", "Run this once, then that.")]),
        ("0.0.1", [("1.1.0", "Run this once, then that.")]),
    ],
)
def test_steps_of_an_upgrade_are_those_since_the_installed_release(
    installed: str, steps: list[tuple[str, str]]
) -> None:
    assert list(list_steps(CHANGELOG, installed)) == steps


@pytest.mark.parametrize(
    ("prefix", "version"), [("darkroom/1.0.0/", "1.0.0"), ("elsewhere/1.0.0/", ""), ("", ""), ("darkroom/", "")]
)
def test_the_installed_release_is_read_from_the_parameters(prefix: str, version: str) -> None:
    assert read_version({PREFIX: prefix} if prefix else {}) == version


def test_the_bill_of_materials_names_a_licence_of_every_component() -> None:
    bill = write_bill("1.0.0")
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    kinds = {one["type"] for one in bill["components"]}
    assert kinds == {"library", "machine-learning-model"}
    for one in bill["components"]:
        [licence] = one["licenses"]
        assert licence.get("expression") or licence["license"]["name"]
    names = {one["name"] for one in bill["components"]}
    assert {"pyvips-binary", "aws-lambda-powertools"} <= {name.lower() for name in names}, sorted(names)


def test_a_nested_stack_with_code_is_refused(tmp_path: Path) -> None:
    machine = {"Type": "AWS::Serverless::StateMachine", "Properties": {"DefinitionUri": "states.json"}}
    nested = {"Type": NESTED, "Properties": {"Location": "nested.yaml"}}
    (tmp_path / "states.json").write_text("{}")
    for name, resource in {"nested": machine, "first": nested}.items():
        (tmp_path / f"{name}.yaml").write_text(json.dumps({"Resources": {"One": resource}}))
    (tmp_path / "release" / "templates").mkdir(parents=True)
    builder = Builder(tmp_path / "release", tmp_path / "scratch", str)
    with pytest.raises(BuildError, match=r"nested\.yaml has code"):
        builder.package(tmp_path / "first.yaml", "arm64", "first")
