"""Reports and custody beside one local stack, as their users use them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from botocore.exceptions import ClientError

from evidence.verify_evidence import verify
from tests.images.photographs import jpeg_photo
from tests.stack.operating import Operator, fetch
from tests.waiting import wait_until


def test_an_upload_has_a_locked_copy_a_report_and_an_export(extensions_operator: Operator, tmp_path: Path) -> None:
    operator, key = extensions_operator, "trips/rome.jpg"
    s3, photo = operator.stack.cloud.s3, jpeg_photo()
    bucket = operator.read_outputs("evidence")["CustodyBucketName"]
    operator.upload(key, photo)

    def list_copies() -> list[Any]:
        return s3.list_object_versions(Bucket=bucket, Prefix=f"originals/{key}/").get("Versions", [])

    wait_until(lambda: len(list_copies()) == 1, "the upload is copied")
    [copy] = list_copies()
    where: Any = {"Bucket": bucket, "Key": copy["Key"], "VersionId": copy["VersionId"]}
    assert s3.get_object(**where)["Body"].read() == photo
    kept = s3.get_object_retention(**where)["Retention"]
    assert kept["Mode"] == "GOVERNANCE"
    assert kept["RetainUntilDate"] > datetime.now(UTC) + timedelta(days=364)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(**where)

    made = operator.darkroom("evidence", "token", key, "--person", "anna@example.com", "--json")
    document = json.loads(made.stdout)
    page = document["url"].partition("#")[0]
    with fetch(page, document["token"]) as answer:
        report = json.load(answer)
    assert (report["original"]["place"], report["original"]["matches_index"]) == ("custody", True)
    measured = {one["measure"]: one["state"] for one in report["measures"]}
    assert measured["double_compression"] == "measured"
    assert report["total"] is None
    with pytest.raises(HTTPError, match="401"):
        fetch(page, "another")

    target = tmp_path / "rome.zip"
    lines = operator.darkroom("evidence", "export", key, "--to", str(target), "--reason", "court").stdout.split()
    verified = verify(target, lines[-1])
    assert (verified.exit_code, verified.lines[0].startswith(f"Verified: {key}")) == (0, True)
    assert json.loads(operator.darkroom("evidence", "hold", key, "on", "--reason", "case 42", "--json").stdout)["held"]
    assert s3.get_object_legal_hold(**where)["LegalHold"]["Status"] == "ON"
    records = json.loads(operator.darkroom("evidence", "records", key, "--json").stdout)["records"]
    assert [one["kind"] for one in records] == ["received", "read", "exported", "hold"]
