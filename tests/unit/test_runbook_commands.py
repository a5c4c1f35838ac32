"""Runbooks are written for the stack that they are shown for."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from cli.local_stack import STATE
from cli.runbooks import (
    list_blocks,
    list_runbooks,
    name_aws_stack,
    name_local_stack,
    read_runbook,
    set_values,
    write_for,
)

INFO = {
    "stack_name": "darkroom",
    "region": "us-east-1",
    "aws_endpoint_url": "http://127.0.0.1:4566",
    "sagemaker_url": "http://127.0.0.1:4570",
}
HERE = name_local_stack(INFO, STATE)
SHOP = name_aws_stack("shop", region="eu-west-1", profile="shop-ops")
GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "operations"
TEXTS = {name: read_runbook(name) for name in list_runbooks()} | {
    path.stem: path.read_text(encoding="utf-8") for path in sorted(GUIDE.glob("*.md")) if path.stem != "README"
}
AWS = re.compile(r"(?<![\w./-])aws (?!lambda/)\S+")


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_names_the_local_stack(name: str) -> None:
    page = write_for(HERE, TEXTS[name])
    assert "--stack " not in page
    assert "\nCommands: " in TEXTS[name]
    assert "\nCommands: " not in page
    called = AWS.findall("\n".join(list_blocks(page)))
    assert len(called) == len(AWS.findall("\n".join(list_blocks(TEXTS[name]))))
    assert set(called) <= {"aws --endpoint-url"}
    for block in list_blocks(page):
        for line in re.findall(r"\./darkroom .*", block):
            assert "--local" in line or line.startswith(("./darkroom keys", "./darkroom --help")), line


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_names_a_stack_of_another_name(name: str) -> None:
    page = write_for(SHOP, TEXTS[name])
    assert not re.search(r"--stack(-name)? darkroom\b|Darkroom/darkroom|/aws/lambda/darkroom|`darkroom-", page)
    assert set(AWS.findall("\n".join(list_blocks(page)))) <= {"aws --profile"}
    assert page.count("--stack shop --profile shop-ops --region eu-west-1") == len(
        re.findall(r"--stack darkroom\b", TEXTS[name])
    )


def test_commands_for_a_stack_on_aws_are_those_of_the_documentation() -> None:
    for text in TEXTS.values():
        assert write_for(name_aws_stack("darkroom"), text) == text


def test_sagemaker_has_its_own_address() -> None:
    text = write_for(HERE, "aws sagemaker describe-endpoint\naws sqs list-queues\n")
    assert text.splitlines() == [
        "AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test aws --endpoint-url http://127.0.0.1:4570 "
        "--region us-east-1 sagemaker describe-endpoint",
        "AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test aws --endpoint-url http://127.0.0.1:4566 "
        "--region us-east-1 sqs list-queues",
    ]


def test_another_state_folder_is_named() -> None:
    purge = write_for(name_local_stack(INFO, Path("/a b")), "./darkroom purge --all --yes --stack darkroom")
    assert shlex.split(purge)[1:] == ["purge", "--all", "--yes", "--local", "--state-dir", "/a b"]


def test_variables_get_values_as_words_of_the_shell() -> None:
    assert set_values("key=trips/rome.jpg\nx\n", {"key": "a b;$(c).jpg"}) == "key='a b;$(c).jpg'\nx\n"
    with pytest.raises(LookupError, match="no variable 'keys'"):
        set_values("key=a\n", {"keys": "b"})


def test_a_runbook_that_does_not_exist_is_refused() -> None:
    for name in ("none", "../operations/routines", ""):
        with pytest.raises(LookupError, match="there are bad-deploy, "):
            read_runbook(name)
