"""Tests of the commands for releases, with a release of a few resources in MiniStack."""

from __future__ import annotations

import itertools
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.exceptions import ClientError

from cli.app import version
from cli.releases.upgrading import CHANGELOG
from tests.commands import Commands, Done
from tools.release.building import seal_release
from tools.release.packaging import PARAMETERS

_numbers = itertools.count(1)
SOURCE = "def handler(event, context):\n    return 'here'\n"


def function(archive: str) -> dict[str, Any]:
    """A function whose code is an archive of the release."""
    return {
        "Type": "AWS::Serverless::Function",
        "Properties": {
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "AutoPublishAlias": "live",
            "CodeUri": {"Bucket": {"Ref": "ReleaseBucket"}, "Key": {"Fn::Sub": f"${{ReleasePrefix}}{archive}"}},
        },
    }


def nested(path: str) -> dict[str, Any]:
    """A nested stack as a release has it."""
    address = f"https://s3.${{AWS::Region}}.${{AWS::URLSuffix}}/${{ReleaseBucket}}/${{ReleasePrefix}}{path}"
    return {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": {"Fn::Sub": address}}}


BUCKET = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}
TEMPLATE: dict[str, Any] = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Parameters": {
        "Arch": {"Type": "String", "Default": "arm64"},
        "Label": {"Type": "String", "Default": "plain"},
        "Extra": {"Type": "String", "Default": "off"},
        **PARAMETERS,
    },
    "Conditions": {"HasExtra": {"Fn::Equals": [{"Ref": "Extra"}, "on"]}},
    "Resources": {
        "Nested": nested("templates/nested.json"),
        "Media": BUCKET | {"Properties": {"VersioningConfiguration": {"Status": "Enabled"}}},
        "Keys": {
            "Type": "AWS::SecretsManager::Secret",
            "DeletionPolicy": "Retain",
            "Properties": {"SecretString": "a"},
        },
        "Index": {
            "Type": "AWS::DynamoDB::Table",
            "DeletionPolicy": "Retain",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "DeletionProtectionEnabled": True,
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            },
        },
        "TransformFunction": function("archives/transform.zip"),
        "Extra": function("archives/extra.zip") | {"Condition": "HasExtra"},
    },
    "Outputs": {
        "CdnUrl": {"Value": "https://cdn.example"},
        "Label": {"Value": {"Ref": "Label"}},
        "MediaBucketName": {"Value": {"Ref": "Media"}},
        "IndexTableName": {"Value": {"Ref": "Index"}},
        "SigningKeysArn": {"Value": {"Ref": "Keys"}},
    },
}


def write_release(folder: Path, **replaced: Any) -> Path:
    """A release in a new folder; ``replaced`` are sections of its template."""
    (folder / "templates").mkdir(parents=True)
    (folder / "archives").mkdir()
    for name in ("extra", "transform"):
        with zipfile.ZipFile(folder / "archives" / f"{name}.zip", "w") as archive:
            archive.writestr("index.py", SOURCE)
    (folder / "templates" / "nested.json").write_text(json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}))
    (folder / "templates" / "darkroom.json").write_text(json.dumps({**TEMPLATE, **replaced}))
    (folder / CHANGELOG).write_text(f"## [{version()}] - 2026-12-02\n\n- **Read this.**\n")
    seal_release(folder, version(), {"arm64": {"": "templates/darkroom.json"}})
    return folder


@dataclass
class Account:
    """The account in MiniStack, and the stacks of the test in it."""

    aws: Callable[[str], Any]
    commands: Commands
    stack: str = field(default_factory=lambda: f"release-{next(_numbers)}")

    @property
    def bucket(self) -> str:
        return f"archives-of-{self.stack}"

    def run(self, command: str, *words: str) -> Done:
        where = ("--stack", self.stack, "--region", "us-east-1")
        return self.commands.run(command, *words, *where, *(("--yes",) if "--ask" not in words else ()))

    def install(self, release: Path | str, *words: str) -> Done:
        return self.run("install", str(release), *words, "--bucket", self.bucket, "--skip-preflight", "--json")

    def list_keys(self) -> set[str]:
        """Keys in the bucket of archives."""
        return {one["Key"] for one in self.aws("s3").list_objects_v2(Bucket=self.bucket).get("Contents", [])}

    def describe(self) -> Any:
        return self.aws("cloudformation").describe_stacks(StackName=self.stack)["Stacks"][0]


@pytest.fixture
def account(
    aws: Callable[[str], Any],
    ministack_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Account:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", ministack_url)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr("cli.releases.change_sets.POLL_S", 0.1)
    return Account(aws, Commands((), capsys))


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return write_release(tmp_path / "release")


def test_a_release_is_installed_and_installed_again_without_a_change(account: Account, release: Path) -> None:
    done = account.install(release)
    assert done.code == 0, done.err
    assert done.document["changed"]
    assert done.document["outputs"]["Label"] == "plain"
    prefix = f"darkroom/{version()}/"
    assert account.list_keys() == {
        f"{prefix}{path}" for path in ("archives/transform.zip", "templates/darkroom.json", "templates/nested.json")
    }
    assert {"Key": "project", "Value": "darkroom"} in account.describe()["Tags"]
    closed = account.aws("s3").get_public_access_block(Bucket=account.bucket)["PublicAccessBlockConfiguration"]
    assert all(closed.values())
    again = account.install(release)
    assert again.code == 0, again.err
    assert " MB " not in again.err  # nothing is sent twice


def test_parameters_that_are_not_named_keep_their_values(account: Account, release: Path) -> None:
    account.install(release, "Label=mine")
    done = account.install(release, "Extra=on")
    assert done.document["outputs"]["Label"] == "mine", done.err
    assert account.install(release, "Colour=red").err.splitlines()[-1].endswith("has no parameter Colour.")


def test_what_is_off_is_not_uploaded(account: Account, release: Path) -> None:
    account.install(release)
    extra = f"darkroom/{version()}/archives/extra.zip"
    assert extra not in account.list_keys()
    account.install(release, "Extra=on")
    assert extra in account.list_keys()


def test_a_damaged_file_is_refused_before_anything_is_deployed(account: Account, release: Path) -> None:
    (release / "templates" / "nested.json").write_text("{}")
    done = account.install(release)
    assert done.code != 0
    assert "templates/nested.json is damaged" in done.err
    with pytest.raises(ClientError, match="does not exist"):
        account.describe()


@pytest.mark.parametrize("missing", ["SHA256SUMS", "release.json", "templates/darkroom.json"])
def test_an_incomplete_release_names_the_missing_file(account: Account, release: Path, missing: str) -> None:
    (release / missing).unlink()
    assert f"has no {missing}" in account.install(release).err


def test_a_release_of_another_version_names_the_command_for_it(
    account: Account, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal_release(release, "99.0.0", {"arm64": {"": "templates/darkroom.json"}})
    assert "darkroom-99.0.0-py3-none-any.whl" in account.install(release).err


@pytest.fixture
def address(release: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(release)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_release_is_installed_from_an_address(account: Account, address: str) -> None:
    done = account.install(address)
    assert done.code == 0, done.err
    assert account.describe()["StackStatus"] == "CREATE_COMPLETE"


def test_an_address_without_encryption_is_refused(account: Account) -> None:
    assert "neither a folder nor an https address" in account.install("http://example.com/darkroom").err


def test_a_change_set_that_is_declined_leaves_nothing(account: Account, release: Path) -> None:
    words = ("--bucket", account.bucket, "--skip-preflight", "--stack", account.stack, "--region", "us-east-1")
    done = account.commands.run("install", str(release), *words)
    assert done.code != 0
    assert "Carry this out in us-east-1?" in done.err
    with pytest.raises(ClientError, match="does not exist"):
        account.describe()


def test_a_file_that_the_release_does_not_list_is_named(account: Account, tmp_path: Path) -> None:
    resources = TEMPLATE["Resources"] | {"Broken": function("archives/none.zip")}
    done = account.install(write_release(tmp_path / "broken", Resources=resources))
    assert done.code != 0
    assert "does not list archives/none.zip" in done.err


def test_a_deployment_that_fails_names_the_resource(account: Account, tmp_path: Path) -> None:
    absent = f"https://s3.us-east-1.amazonaws.com/absent-{account.stack}/template.json"
    broken = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": absent}}
    release = write_release(tmp_path / "broken", Resources=TEMPLATE["Resources"] | {"Broken": broken})
    done = account.install(release)
    assert done.code != 0
    assert "Broken: " in done.err
    assert "darkroom uninstall" in account.install(release).err


def test_a_stack_is_upgraded_after_the_steps_of_the_changelog_were_shown(account: Account, release: Path) -> None:
    upgrade = ("upgrade", str(release), "--bucket", account.bucket, "--skip-preflight", "--skip-smoke", "--json")
    assert "There is no stack" in account.run(*upgrade).err
    account.install(release, "Label=mine")
    done = account.run(*upgrade)
    assert done.code == 0, done.err
    assert done.document == {
        **{"stack": account.stack, "from": version(), "to": version()},
        **{"extensions": [], "smoke": {}, "versions": []},
    }
    assert account.describe()["StackStatus"].endswith("_COMPLETE")


def put_data(account: Account, outputs: dict[str, str]) -> None:
    """Store two versions of an object and a delete marker."""
    for body in (b"first", b"second"):
        account.aws("s3").put_object(Bucket=outputs["MediaBucketName"], Key="photo", Body=body)
    account.aws("s3").delete_object(Bucket=outputs["MediaBucketName"], Key="photo")


def test_a_removal_keeps_the_data_and_says_what_remains(account: Account, release: Path) -> None:
    outputs = account.install(release).document["outputs"]
    put_data(account, outputs)
    done = account.run("uninstall", "--json")
    assert done.code == 0, done.err
    assert {one["kind"] for one in done.document["remaining"]} == {
        "AWS::S3::Bucket",
        "AWS::DynamoDB::Table",
        "AWS::SecretsManager::Secret",
    }
    assert account.aws("s3").list_object_versions(Bucket=outputs["MediaBucketName"])["Versions"]
    with pytest.raises(ClientError, match="does not exist"):
        account.describe()


def test_a_removal_with_its_data_leaves_nothing_but_a_secret_that_can_be_restored(
    account: Account, release: Path
) -> None:
    outputs = account.install(release).document["outputs"]
    put_data(account, outputs)
    done = account.run("uninstall", "--delete-data", "--json")
    assert done.code == 0, done.err
    assert done.document["remaining"] == []
    with pytest.raises(ClientError, match="404"):
        account.aws("s3").head_bucket(Bucket=outputs["MediaBucketName"])
    with pytest.raises(ClientError, match="ResourceNotFound"):
        account.aws("dynamodb").describe_table(TableName=outputs["IndexTableName"])
    assert account.aws("secretsmanager").describe_secret(SecretId=outputs["SigningKeysArn"])["DeletedDate"]


def test_a_release_is_hosted_in_each_region_with_a_link_to_the_console(account: Account, release: Path) -> None:
    host, regions = f"hosted-{account.stack}", ("us-east-1", "eu-central-1")
    words = ("release", "publish", str(release), "--bucket", host, "--regions", ",".join(regions), "--public", "--json")
    done = account.commands.run(*words, "--region", "us-east-1")
    assert done.code == 0, done.err
    for region in regions:
        link = urlsplit(done.document["links"][region])
        assert link.hostname == f"{region}.console.aws.amazon.com"
        route, _, query = link.fragment.partition("?")
        given = dict(parse_qsl(query))
        assert (route, given["stackName"]) == ("/stacks/quickcreate", "darkroom")
        template = urlsplit(given["templateURL"])
        assert template.hostname == f"s3.{region}.amazonaws.com"
        bucket, _, key = template.path[1:].partition("/")
        assert (bucket, given["param_ReleaseBucket"]) == (f"{host}-{region}", bucket)
        stored = account.aws("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        assert set(PARAMETERS) <= set(json.loads(stored)["Parameters"])
        archive = f"{given['param_ReleasePrefix']}archives/extra.zip"
        assert account.aws("s3").head_object(Bucket=bucket, Key=archive)
        policy = json.loads(account.aws("s3").get_bucket_policy(Bucket=bucket)["Policy"])
        [statement] = policy["Statement"]
        assert (statement["Action"], statement["Resource"]) == ("s3:GetObject", f"arn:aws:s3:::{bucket}/darkroom/*/*")
