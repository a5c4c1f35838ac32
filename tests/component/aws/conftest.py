"""Buckets in MiniStack behind the adapters; retries that do not wait."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from darkroom_pipeline.aws import clients
from darkroom_pipeline.aws.s3 import S3Bucket
from tests.waiting import HANG_S

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def s3(aws_environment: dict[str, str]) -> Any:
    return clients.create_client("s3", aws_environment)


@pytest.fixture
def vault(s3: Any) -> S3Bucket:
    """An empty bucket without versions."""
    name = f"vault-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return S3Bucket(s3, name)


@pytest.fixture
def versioned(s3: Any) -> S3Bucket:
    """An empty bucket with versions."""
    name = f"versioned-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return S3Bucket(s3, name)


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give new clients a long read timeout and no wait between attempts."""
    monkeypatch.setattr(clients, "READ_S", HANG_S)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
