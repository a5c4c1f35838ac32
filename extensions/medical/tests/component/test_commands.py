"""`darkroom medical` about resources in MiniStack."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from medical.access import ALL_STUDIES, Grant, verify_token
from medical.uids import replace_uid
from tests import commands
from tests.commands import Commands

KEY, UID_KEY = "signing-key-of-the-stack", "key-of-the-uids-in-place"


@pytest.fixture
def command(
    aws: Callable[[str], Any], aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Commands:
    arn = store(aws, {"current": KEY, "previous": ""})
    return commands.local(aws_environment, tmp_path, capsys, {"SigningKeysArn": arn})


def store(aws: Callable[[str], Any], document: dict[str, str]) -> str:
    """Create a secret; return its ARN."""
    made = aws("secretsmanager").create_secret(Name=uuid4().hex, SecretString=json.dumps(document))
    return str(made["ARN"])


def test_a_uid_is_that_of_ingest(command: Commands, aws: Callable[[str], Any], aws_environment: dict[str, str]) -> None:
    own = commands.deploy(aws_environment, {"UidKeyArn": store(aws, {"current": UID_KEY})})
    done = command.run("medical", "uid", "1.2.840.1", "--medical-stack", own)
    assert (done.code, done.lines) == (0, [replace_uid("1.2.840.1", UID_KEY)]), done.err
    missing = command.run("medical", "uid", "1.2.840.1")
    assert missing.code != 0
    assert "--medical-stack" in missing.err


def test_tokens_and_signatures_are_made_with_the_keys_of_the_stack(command: Commands) -> None:
    made = command.run("medical", "token", "2.25.7", "--expires-in", "60", "--json").document
    grant = verify_token(made["token"], [KEY], time.time())
    assert grant == Grant(grant.expires_s, "2.25.7")
    assert grant.expires_s - time.time() <= 60
    assert verify_token(command.run("medical", "token", "*").lines[0], [KEY], time.time()).study == ALL_STUDIES
    path = "/dicomweb/studies/2.25.1/series/2.25.2/instances/2.25.3/rendered"
    signed = command.run("medical", "sign", f"{path}?window=40,400")
    assert signed.lines[0].startswith(f"{path}?window=40,400&")
    for words in (("token", "1.2.840.1"), ("sign", "/photo.jpg")):
        assert command.run("medical", *words).code == 2
