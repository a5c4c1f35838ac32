"""Chain of custody on MiniStack: locked copies, records, legal holds, and exports that a script verifies."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from zipfile import ZipFile

import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from botocore.session import Session

from darkroom.errors import NotGranted
from evidence.custody import FIRST, HOLD, READ, Custody
from evidence.export import VERIFIER, Evidence, KmsSigner, Signature, build_export
from evidence.identity import HEADER, VALID_S, bind_action
from evidence.verify_evidence import KEY_NOT_COMPARED, NOT_RECEIVED, NOT_VERIFIED, NotVerified, verify

from .images import once
from .world import World

IMAGE = "trips/rome & paris.jpg"


def test_each_upload_is_copied_once_and_locked(world: World) -> None:
    version_id = world.upload(IMAGE, once(), ingest=False)
    assert world.receive(IMAGE, version_id) == {"sha256": [sha256(once()).hexdigest()]}
    assert world.receive(IMAGE, version_id) == {"sha256": [""]}, "a repeated event changes nothing"
    [copy] = world.custody.list_originals(IMAGE)
    assert (copy.name, copy.versions) == (f"originals/trips/rome.-20.-26.-20paris.jpg/_/{version_id}", 1)
    assert world.custody.bucket.read(copy) == once()
    [record] = world.custody.read(IMAGE)
    facts = record.document["facts"]
    assert (record.document["kind"], record.document["previous"]) == ("received", FIRST)
    assert (facts["sha256"], facts["source_ip"], facts["version_id"]) == (
        sha256(once()).hexdigest(),
        "192.0.2.7",
        version_id,
    )
    assert world.read_audit()[0]["facts"]["record_sha256"] == record.sha256


def test_records_are_locked_and_so_are_held_copies(world: World) -> None:
    """MiniStack applies the bucket's retention to objects that are put, and not to copies, as S3 does."""
    world.receive(IMAGE, world.upload(IMAGE, once(), ingest=False))
    world.custody.set_hold(IMAGE, "anna", "case 42", is_on=True)
    s3, bucket = world.aws("s3"), world.custody.bucket
    for version in (*world.custody.list_originals(IMAGE), *bucket.list_versions("records/")):
        where = {"Bucket": bucket.name, "Key": version.name, "VersionId": version.version_id}
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.delete_object(**where, BypassGovernanceRetention=True)


def test_an_upload_that_is_gone_is_not_recorded(world: World) -> None:
    version_id = world.upload(IMAGE, once(), ingest=False)
    world.aws("s3").delete_object(Bucket=world.names["uploads"], Key=IMAGE, VersionId=version_id)
    assert world.receive(IMAGE, version_id) == {"sha256": [""]}
    assert world.custody.read(IMAGE) == []


@pytest.mark.slow
def test_a_report_reads_the_locked_copy(world: World) -> None:
    version_id = world.upload("trips/a.jpg", once())
    world.receive("trips/a.jpg", version_id)
    world.aws("s3").delete_object(Bucket=world.names["uploads"], Key="trips/a.jpg", VersionId=version_id)
    report = json.loads(world.request("trips/a.jpg", world.token())["body"])
    assert (report["original"]["place"], report["original"]["matches_index"]) == ("custody", True)


@pytest.mark.slow
def test_records_are_a_chain_whatever_is_written_at_once(world: World) -> None:
    custody = world.custody
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda number: custody.append(READ, IMAGE, f"person-{number}"), range(6)))
    records = custody.read(IMAGE)
    assert [one.document["number"] for one in records] == [1, 2, 3, 4, 5, 6]
    assert [one.document["previous"] for one in records] == [FIRST, *(one.sha256 for one in records[:-1])]
    assert {one.document["by"] for one in records} == {f"person-{number}" for number in range(6)}


def test_a_replaced_record_does_not_count(world: World) -> None:
    world.custody.append(READ, IMAGE, "anna")
    name = "records/trips/rome.-20.-26.-20paris.jpg/_/00000001.json"
    world.aws("s3").put_object(Bucket=world.names["custody"], Key=name, Body=b"{}")
    world.aws("s3").delete_object(Bucket=world.names["custody"], Key=name)
    [record] = world.custody.read(IMAGE)
    assert record.document["by"] == "anna"


def test_an_export_without_a_receipt_has_an_exit_code_of_its_own(world: World, tmp_path: Path) -> None:
    """The records begin after the upload: nothing shows that it is the one that was received."""
    version_id = world.upload("trips/a.jpg", once())
    report = {
        "key": "trips/a.jpg",
        "at": "2026-11-29",
        "state": "ready",
        "original": {
            "place": "uploads",
            "version_id": version_id,
            "sha256": sha256(once()).hexdigest(),
            "matches_index": True,
        },
        "measures": [],
        "why_no_total": "",
    }
    world.custody.append(READ, "trips/a.jpg", "anna")
    body, signature = build_export(Evidence(report, once(), world.custody.read("trips/a.jpg")), sign_by_kms(world))
    (tmp_path / "export.zip").write_bytes(body)
    shutil.copy(VERIFIER, tmp_path / "verify.py")
    for arguments in ((), ("--key", signature.fingerprint)):
        done = run_verifier(tmp_path, "export.zip", *arguments)
        assert (done.returncode, done.stderr) == (NOT_RECEIVED, "")
        assert "NO RECORD" in done.stdout


def test_a_hold_names_the_principal_that_signed(world: World) -> None:
    """Whatever the caller writes: STS returns whose credentials they are."""
    world.receive(IMAGE, world.upload(IMAGE, once(), ingest=False))
    asked = world.sign("hold", IMAGE, "case 42")
    asked["hold"]["by"] = "arn:aws:iam::1:user/somebody-else"  # type: ignore[index]
    assert world.receiver.invoke(asked) == {"copies": 1}
    record = world.custody.read(IMAGE)[-1].document
    assert record["by"] == world.aws("sts").get_caller_identity()["Arn"]
    made = world.aws("iam").create_user(UserName="holder")["User"]["Arn"]
    keys = world.aws("iam").create_access_key(UserName="holder")["AccessKey"]
    other = {"aws_access_key_id": keys["AccessKeyId"], "aws_secret_access_key": keys["SecretAccessKey"]}
    assert world.receiver.invoke(world.sign("release", IMAGE, "closed", **other)) == {"copies": 1}
    assert world.custody.read(IMAGE)[-1].document["by"] == made


@pytest.mark.parametrize(
    "change",
    [
        lambda query: "",
        lambda query: query.replace("GetCallerIdentity", "AssumeRole"),
        lambda query: f"{query}&Action=AssumeRole",
        lambda query: query.replace("%3Bx-darkroom-custody", ""),
        lambda query: re.sub("X-Amz-Signature=[0-9a-f]+", "", query),
        lambda query: query + "&x=" + "y" * 9000,
    ],
)
def test_an_identity_that_is_not_signed_for_the_action_is_refused(world: World, change: Callable[[str], str]) -> None:
    version_id = world.upload(IMAGE, once(), ingest=False)
    world.receive(IMAGE, version_id)
    asked: Any = world.sign("hold", IMAGE, "case 42")
    asked["hold"]["identity"] = change(asked["hold"]["identity"])
    with pytest.raises(NotGranted):
        world.receiver.invoke(asked)
    assert [one.document["kind"] for one in world.custody.read(IMAGE)] == ["received"]


def test_a_signed_identity_is_bound_to_action_key_and_reason(world: World) -> None:
    """By a header in the signature, which STS verifies: here the signature is computed again for what was asked."""
    query = world.sign("hold", IMAGE, "case 42")["hold"]["identity"]  # type: ignore[index]
    values = parse_qs(str(query))
    assert values["X-Amz-SignedHeaders"] == ["host;x-darkroom-custody"]
    sts = world.aws("sts")
    credentials = Session().get_credentials() or sts._request_signer._credentials
    signed = {}
    for action, key, reason in (("hold", IMAGE, "case 42"), ("release", IMAGE, "case 42"), ("hold", "b", "case 42")):
        request = AWSRequest("GET", f"{sts.meta.endpoint_url}/?Action=GetCallerIdentity&Version=2011-06-15")
        request.headers[HEADER] = bind_action(action, key, reason)
        request.context["timestamp"] = values["X-Amz-Date"][0]
        auth = SigV4QueryAuth(credentials, "sts", sts.meta.region_name, VALID_S)
        scope = f"{values['X-Amz-Date'][0][:8]}/{sts.meta.region_name}/sts/aws4_request"
        assert values["X-Amz-Credential"][0].endswith(scope)
        auth._modify_request_before_signing(request)
        text = auth.string_to_sign(request, auth.canonical_request(request))
        signed[action, key] = auth.signature(text, request)
    assert [pair for pair, value in signed.items() if value == values["X-Amz-Signature"][0]] == [("hold", IMAGE)]


def test_a_legal_hold_holds_the_records(world: World) -> None:
    """Those before it, its own, and those that are written while it is in force."""
    world.receive(IMAGE, world.upload(IMAGE, once(), ingest=False))
    world.custody.append(READ, IMAGE, "anna")
    world.custody.set_hold(IMAGE, "anna", "case 42", is_on=True)
    world.custody.append(READ, IMAGE, "anna")
    records = world.custody.bucket.list_versions("records/")
    assert [read_hold(world, one) for one in records] == ["ON"] * 4
    world.custody.set_hold(IMAGE, "anna", "closed", is_on=False)
    world.custody.append(READ, IMAGE, "anna")
    assert [read_hold(world, one) for one in records] == ["OFF"] * 4
    assert [one.document["held"] for one in world.custody.read(IMAGE)] == [False, False, True, True, False, False]


@pytest.mark.slow
def test_a_legal_hold_covers_later_uploads(world: World) -> None:
    first = world.upload(IMAGE, once(), ingest=False)
    world.receive(IMAGE, first)
    assert world.custody.set_hold(IMAGE, "anna", "case 42", is_on=True) == 1
    world.receive(IMAGE, world.upload(IMAGE, once(70), ingest=False))
    assert [read_hold(world, copy) for copy in world.custody.list_originals(IMAGE)] == ["ON", "ON"]
    assert world.custody.is_held(IMAGE)
    assert world.custody.set_hold(IMAGE, "anna", "case closed", is_on=False) == 2
    assert [read_hold(world, copy) for copy in world.custody.list_originals(IMAGE)] == ["OFF", "OFF"]
    kinds = [one.document["kind"] for one in world.custody.read(IMAGE)]
    assert kinds == ["received", HOLD, "received", "released"]


def test_a_legal_hold_covers_a_copy_that_is_made_meanwhile(world: World) -> None:
    world.receive(IMAGE, world.upload(IMAGE, once(), ingest=False))
    arriving = [world.upload(IMAGE, once(70), ingest=False)]

    def receive_once() -> float:
        if arriving:
            world.receive(IMAGE, arriving.pop())
        return time.time()

    custody = replace(world.custody, clock=receive_once)
    assert custody.set_hold(IMAGE, "anna", "case 42", is_on=True) == 2
    assert [read_hold(world, copy) for copy in custody.list_originals(IMAGE)] == ["ON", "ON"]


def read_hold(world: World, copy: Any) -> str:
    answer = world.aws("s3").get_object_legal_hold(
        Bucket=world.names["custody"], Key=copy.name, VersionId=copy.version_id
    )
    return str(answer["LegalHold"]["Status"])


@pytest.fixture
def exported(world: World, tmp_path: Path) -> Path:
    """An export, and the verifier outside of it."""
    version_id = world.upload("trips/a.jpg", once())
    world.receive("trips/a.jpg", version_id)
    world.request("trips/a.jpg", world.token())
    report = world.evidence.invoke(world.sign("export", "trips/a.jpg", "x"))
    body, signature = build_export(
        Evidence(report, once(), Custody(world.custody.bucket, None).read("trips/a.jpg")), sign_by_kms(world)
    )
    (tmp_path / "export.zip").write_bytes(body)
    (tmp_path / "key.txt").write_text(signature.fingerprint, encoding="ascii")
    shutil.copy(VERIFIER, tmp_path / "verify.py")
    return tmp_path


def sign_by_kms(world: World) -> KmsSigner:
    kms = world.aws("kms")
    key = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    return KmsSigner(kms, key)


def run_verifier(folder: Path, export: str = "export.zip", *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script as its users do: alone, without site packages or environment."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "verify.py", export, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_export_is_verified_offline_and_every_change_is_found(exported: Path) -> None:
    """One export for all changes: each needs no more than the script."""
    fingerprint = (exported / "key.txt").read_text(encoding="ascii")
    done = run_verifier(exported, "export.zip", "--key", fingerprint)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[2] for line in done.stdout.splitlines() if line.startswith("     ")] == [
        "received",
        "read",
        "exported",
    ]
    with ZipFile(exported / "export.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
        archive.extractall(exported / "unpacked")
    assert run_verifier(exported, "unpacked", "--key", fingerprint).returncode == 0
    assert run_verifier(exported, "unpacked").returncode == KEY_NOT_COMPARED
    assert run_verifier(exported, "export.zip", "--key", "0" * 64).returncode == 1
    for name, body in files.items():
        assert_refused(exported, {**files, name: flip(body)}, f"{name} changed")
        assert_refused(exported, {other: files[other] for other in files if other != name}, f"{name} removed")
    assert_refused(exported, {**files, "records/00000004.json": files["records/00000003.json"]}, "a record added")
    swapped = {**files, "records/00000001.json": files["records/00000002.json"]}
    assert_refused(exported, swapped, "a record replaced")


def flip(body: bytes) -> bytes:
    """Change one character in the middle."""
    at = len(body) // 2
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


def assert_refused(folder: Path, files: dict[str, bytes], what: str) -> None:
    with ZipFile(folder / "changed.zip", "w") as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    done = run_verifier(folder, "changed.zip")
    assert done.returncode == NOT_VERIFIED, f"{what}: {done.stdout}"
    assert done.stderr.startswith("NOT VERIFIED"), what
    assert "Traceback" not in done.stderr, what


@pytest.mark.slow
def test_a_chain_that_is_signed_again_is_still_checked(exported: Path, world: World) -> None:
    """The holder of the key cannot leave out a record in the middle without that the chain breaks."""
    records = world.custody.read("trips/a.jpg")
    report = json.loads(ZipFile(exported / "export.zip").read("report.json"))
    for kept, original in ((records[:1] + records[2:], once()), (records, once(70))):
        body, _ = build_export(Evidence(report, original, kept), sign_by_kms(world))
        (exported / "forged.zip").write_bytes(body)
        assert run_verifier(exported, "forged.zip").returncode == 1


def test_an_export_without_the_upload_has_no_such_file(tmp_path: Path) -> None:
    report = {
        "key": "a.jpg",
        "at": "2026-11-29",
        "state": "ready",
        "original": {"place": "expired", "version_id": "1", "sha256": None, "matches_index": None},
        "measures": [],
        "why_no_total": "",
    }
    body, _ = build_export(Evidence(report, b"", []), lambda _: Signature(b"x", b"y"))
    assert "original" not in ZipFile(io.BytesIO(body)).namelist()
    (tmp_path / "export.zip").write_bytes(body)
    with pytest.raises(NotVerified, match="the key is malformed"):
        verify(tmp_path / "export.zip")
