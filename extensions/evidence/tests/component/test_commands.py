"""`darkroom evidence` about resources in MiniStack. The function runs in this process: there is no deployed one."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from cli.deployment import Deployment
from evidence.tokens import verify_token
from evidence.verify_evidence import KEY_NOT_COMPARED
from tests import commands
from tests.commands import Commands

from .images import once
from .test_custody import flip
from .world import KEY, World

IMAGE = "trips/rome & paris.jpg"


@pytest.fixture
def command(
    world: World,
    aws_environment: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Commands:
    names = world.names
    outputs = {
        "MediaBucketName": names["media"],
        "UploadsBucketName": names["uploads"],
        "AuditBucketName": names["audit"],
        "IndexTableName": names["index"],
        "VectorTableName": names["vectors"],
        "SigningKeysArn": world.environment["SIGNING_KEYS_ARN"],
        "UploadApiUrl": "https://a1b2c3.execute-api.example",
    }

    def invoke(_: Deployment, function: str, payload: Any) -> Any:
        return {"evidence": world.evidence, "custody": world.receiver}[function].invoke(payload)

    monkeypatch.setattr(Deployment, "invoke", invoke)
    return commands.local(aws_environment, tmp_path, capsys, outputs)


@pytest.fixture
def own(world: World, aws_environment: dict[str, str]) -> tuple[str, str]:
    """Options that name the stack of its own."""
    key_id = world.aws("kms").create_key(KeySpec="RSA_3072", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    names = {
        "CustodyBucketName": world.names["custody"],
        "ExportKeyId": key_id,
        "EvidenceFunctionName": "evidence",
        "CustodyFunctionName": "custody",
    }
    return "--evidence-stack", commands.deploy(aws_environment, names)


@pytest.mark.slow
def test_a_token_names_person_and_prefix(command: Commands) -> None:
    done = command.run("evidence", "token", IMAGE, "--person", "anna@example.com", "--json").document
    grant = verify_token(done["token"], [KEY], time.time())
    assert (grant.prefix, grant.person) == (IMAGE, "anna@example.com")
    assert done["url"] == f"http://127.0.0.1:2/_evidence/trips/rome%20%26%20paris.jpg?f=evidence#{done['token']}"
    assert command.run("evidence", "token", "trips/", "--person", "anna", "--json").document["url"] is None
    assert command.run("evidence", "token", "trips/", "--person", "not a name").code == 2


@pytest.mark.slow
def test_parameters_are_those_of_the_stack(command: Commands, world: World) -> None:
    found = command.run("parameters", "evidence", "--json").document["parameters"]
    assert (found["ApiId"], found["UploadsBucket"]) == ("a1b2c3", world.names["uploads"])


@pytest.mark.slow
def test_holds_and_exports_name_the_operator(
    command: Commands, own: tuple[str, str], world: World, tmp_path: Path
) -> None:
    version_id = world.upload(IMAGE, once())
    assert command.run("evidence", "hold", IMAGE, "on", "--reason", "x", *own).code != 0, "nothing to hold"
    assert world.custody.read(IMAGE) == []
    world.receive(IMAGE, version_id)
    done = command.run("evidence", "hold", IMAGE, "on", "--reason", "case 42", *own)
    assert (done.code, done.lines[-1:]) == (0, [f"{IMAGE}: 1 copies are held."]), "behind metrics of the function"
    target = tmp_path / "rome.zip"
    exported = command.run("evidence", "export", IMAGE, "--to", str(target), "--reason", "court", *own)
    assert exported.code == 0, exported.err
    anywhere = Commands((), command.capsys)
    verified = anywhere.run("evidence", "verify", str(target), "--key", exported.lines[-1].split()[-1])
    assert (verified.code, verified.err) == (0, "")
    assert verified.lines[0].startswith(f"Verified: {IMAGE}")
    assert anywhere.run("evidence", "verify", str(target)).code == KEY_NOT_COMPARED
    target.write_bytes(flip(target.read_bytes()))
    assert anywhere.run("evidence", "verify", str(target)).code == 1
    records = command.run("evidence", "records", IMAGE, *own, "--json").document["records"]
    assert [one["kind"] for one in records] == ["received", "hold", "exported"]
    assert all(one["by"].startswith("arn:aws:") for one in records[1:])
    assert [entry["facts"]["action"] for entry in world.read_audit()] == ["exported", "hold", "received"]


@pytest.mark.slow
def test_a_missing_stack_is_named(command: Commands) -> None:
    done = command.run("evidence", "records", IMAGE)
    assert done.code != 0
    assert "-evidence" in done.err
