"""Medical images beside a local stack, used as by their users."""

from __future__ import annotations

import importlib
import io
import json
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest
from PIL import Image

from local.paths import Ports
from tests.stack.operating import Operator, fetch
from tests.waiting import wait_until


@pytest.fixture
def operator(extensions_operator: Operator) -> Operator:
    return extensions_operator


@pytest.fixture(scope="module")
def dicom() -> ModuleType:
    """The module that makes DICOM files, whose packages have an environment of their own."""
    importlib.import_module("extensions.medical.tests.component.conftest")
    return importlib.import_module("extensions.medical.tests.component.files")


def test_a_slice_is_served_without_patient_data(operator: Operator, dicom: ModuleType) -> None:
    s3, outputs = operator.stack.cloud.s3, operator.read_outputs("medical")
    sent = dicom.make(PatientName="Doe^Jane", WindowCenter=1536, WindowWidth=3072)
    s3.put_object(Bucket=outputs["UploadsBucketName"], Key="incoming/routine/1.dcm", Body=dicom.save(sent))
    ports = Ports(aws=urlsplit(operator.stack.aws_endpoint_url).port or 0)
    base = ports.api_url(outputs["DicomWebUrl"]) + "/dicomweb"
    uids = {
        name: operator.darkroom("medical", "uid", str(uid)).stdout.strip()
        for name, uid in (("study", sent.StudyInstanceUID), ("series", sent.SeriesInstanceUID))
    }
    token = operator.darkroom("medical", "token", uids["study"]).stdout.strip()
    series = f"{base}/studies/{uids['study']}/series/{uids['series']}"

    def read_metadata() -> Any:
        try:
            with fetch(f"{series}/metadata", token, "application/dicom+json") as answer:
                return json.load(answer)
        except HTTPError as error:
            assert error.code == 404
            return None

    [metadata] = wait_until(read_metadata, "the instance is served")
    assert "00100010" not in metadata, "the patient's name"
    assert (metadata["00280010"]["Value"], metadata["00280011"]["Value"]) == ([48], [64])
    instance = metadata["00080018"]["Value"][0]
    with fetch(f"{series}/instances/{instance}/rendered?accept=image/png", token) as answer:
        image = Image.open(io.BytesIO(answer.read()))
    assert image.size == (64, 48)
    assert image.getpixel((0, 0)) == 0
    assert image.getpixel((63, 47)) == 255
    with pytest.raises(HTTPError, match="403"):
        fetch(f"{series}/metadata")
    assert not s3.list_objects_v2(Bucket=outputs["UploadsBucketName"]).get("Contents"), "the upload is deleted"


def test_urgent_uploads_have_a_queue_and_refused_ones_are_kept(operator: Operator) -> None:
    s3, bucket = operator.stack.cloud.s3, operator.read_outputs("medical")["UploadsBucketName"]
    s3.put_object(Bucket=bucket, Key="incoming/stat/2.dcm", Body=b"no DICOM")

    def list_keys() -> list[str]:
        return sorted(one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", []))

    wait_until(lambda: [Path(key).suffix for key in list_keys()] == [".dcm", ".json"], "the upload is in quarantine")
    reason = json.load(s3.get_object(Bucket=bucket, Key=list_keys()[1])["Body"])
    assert reason["code"] == "type-not-allowed"
