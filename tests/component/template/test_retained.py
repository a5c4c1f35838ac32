"""What remains of deleted stacks, and the page that names it: docs/getting-started/deploy.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.releases.removing import KINDS
from extensions import list_templates

from .stack import ROOT, TEMPLATE, TEMPLATES, name_template, nested_templates, template

PAGE = (ROOT / "docs" / "getting-started" / "deploy.md").read_text(encoding="utf-8")
LAYER = "AWS::Serverless::LayerVersion"

REMAINING: Mapping[str, str] = {
    "AWS::SageMaker::ModelPackageGroup": "model registry",
    "AWS::S3Vectors::VectorBucket": "vector bucket",
    "AWS::S3Vectors::Index": "vector bucket",
}
"""Types that a removal leaves, with words of the page's row about them."""


def find_retained(path: Path) -> dict[str, dict[str, Any]]:
    """Resources of a template that remain when its stack is deleted, by logical id."""
    return {
        logical_id: resource
        for logical_id, resource in template(path).get("Resources", {}).items()
        if _policy(resource).startswith("Retain")
    }


def _policy(resource: dict[str, Any]) -> str:
    """Of a layer without a policy, SAM retains each version."""
    if resource["Type"] == LAYER:
        return str(resource["Properties"].get("RetentionPolicy", "Retain"))
    return str(resource.get("DeletionPolicy", "Delete"))


def read_rows() -> dict[str, str]:
    """The rows of each template in the table of stacks, by the template's path; a row may go on in the next ones."""
    [section] = re.findall(r"^## Further stacks\n(.*?)^##", PAGE, re.DOTALL | re.MULTILINE)
    rows: dict[str, str] = {}
    paths: list[str] = []
    for stack, rest in re.findall(r"^\| ([^|]*)\|(.*)\|$", section, re.MULTILINE):
        paths = re.findall(r"`((?:stacks/)?[\w-]+\.yaml)`", stack) or (paths if not stack.strip() else [])
        rows |= {path: rows.get(path, "") + rest for path in paths}
    return rows


def read_section(path: Path) -> str:
    """The section of the guide of an extension."""
    guide = (path.parent / "docs" / "guide.md").read_text(encoding="utf-8")
    [section] = re.findall(r"^## Remove\n(.*?)(?:^##|\Z)", guide, re.DOTALL | re.MULTILINE)
    return str(section)


def test_every_stack_that_is_deployed_by_itself_has_a_row() -> None:
    by_itself = set(TEMPLATES) - {*nested_templates().values(), *list_templates()}
    nested = {path for path in nested_templates().values() if find_retained(path)}
    assert set(read_rows()) == {str(path.relative_to(ROOT)) for path in by_itself | nested}


@pytest.mark.parametrize("path", TEMPLATES, ids=name_template)
def test_the_deployment_page_or_the_guide_names_what_remains(path: Path) -> None:
    row = read_section(path) if path in list_templates() else read_rows().get(name_template(path), "")
    together = [TEMPLATE, ROOT / "stacks" / "inference.yaml"]  # one row
    paths = together if path in together else [path]
    declared = {name for one in paths for name in template(one).get("Resources", {})}
    retained = {name for one in paths for name in find_retained(one)}
    assert set(re.findall(r"`(\w+)`", row)) & declared == retained


@pytest.mark.parametrize("path", TEMPLATES, ids=name_template)
def test_a_removal_with_its_data_deletes_what_remains(path: Path) -> None:
    kinds = {one["Type"].replace("Serverless", "Lambda") for one in find_retained(path).values()}
    assert kinds - set(KINDS) <= set(REMAINING)


def test_the_page_names_what_a_removal_with_its_data_leaves() -> None:
    [section] = re.findall(r"^## Remove the stack\n(.*)", PAGE, re.DOTALL | re.MULTILINE)
    rows = [row for row in section.splitlines() if "| remain" in row]
    assert all(any(words in row for row in rows) for words in REMAINING.values())
