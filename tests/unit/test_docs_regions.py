"""Commands in README and guides name the region: the SAM CLI and the AWS CLI read different variables, and both fall
back to the profile's region, so that a stack may be created in one region and searched for in another."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from local.paths import ROOT

PAGES = (
    "README.md",
    "docs/getting-started/deploy.md",
    *sorted(str(one.relative_to(ROOT)) for one in ROOT.glob("docs/guides/*.md")),
    *sorted(str(one.relative_to(ROOT)) for one in ROOT.glob("extensions/*/docs/*.md")),
)
_BLOCK = re.compile(r"^ *```(?:sh|console)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
GLOBAL = ("s3", "s3api", "cloudfront", "cloudfront-keyvaluestore", "iam", "sts", "configure")
"""Services of the AWS CLI without a region, or that find a bucket's region by its name."""

COMMAND = re.compile(
    rf"\bsam (?:deploy|delete)\b|\baws (?!(?:{'|'.join(GLOBAL)}) )[a-z0-9-]+ [a-z-]+|\./darkroom [^|;&]*--stack\b"
    r"|\./darkroom preflight"
)


def list_commands(page: str) -> list[str]:
    """The lines of the shell blocks of a page, continued lines as one."""
    blocks = _BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def list_faults(line: str) -> list[str]:
    """The commands of a line that name no region. Comments and the output after ``#`` are none."""
    text = re.sub(r"\s#\s.*", "", line)
    places = [*(found.start() for found in COMMAND.finditer(text)), len(text)]
    parts = [text[start:end] for start, end in pairwise(places)]
    return [part for part in parts if "--region " not in part]


def test_the_rule_finds_what_it_is_for() -> None:
    assert list_faults("sam deploy --stack-name a $(./darkroom parameters counter --stack darkroom)") == [
        "sam deploy --stack-name a $(",
        "./darkroom parameters counter --stack darkroom)",
    ]
    assert list_faults("aws s3 cp a s3://b/ && sam deploy --region eu-central-1") == []
    assert list_faults("sam build") == []
    assert list_faults("aws lambda invoke --function-name a") != []


def test_pages_are_found() -> None:
    assert len(PAGES) > 25
    assert sum(bool(COMMAND.search(line)) for page in PAGES for line in list_commands(page)) > 60


@pytest.mark.parametrize("page", PAGES)
def test_every_command_names_its_region(page: str) -> None:
    assert [fault for line in list_commands(page) for fault in list_faults(line)] == []


def test_no_page_sets_a_variable_that_one_of_the_tools_ignores() -> None:
    """SAM CLI and boto3 ignore AWS_REGION; version 2 of the AWS CLI prefers it to AWS_DEFAULT_REGION."""
    pages = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("packages/**/*.md"),
        *ROOT.glob("endpoint/*.md"),
    ]
    lines = [line for page in pages for line in page.read_text(encoding="utf-8").splitlines()]
    assert [line for line in lines if re.search(r"\bAWS_REGION=|\$\{?AWS_REGION\b", line)] == []
