"""Buckets in memory and in MiniStack, and an unreachable AWS."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from obstore.store import MemoryStore

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import FastBucket, connect
from darkroom.errors import list_errors_by_code
from darkroom.services.serve.answers import Answer, Failed

_numbers = itertools.count(1)


@pytest.fixture(params=["memory", "s3"])
def bucket(request: pytest.FixtureRequest) -> FastBucket:
    return FastBucket(MemoryStore()) if request.param == "memory" else request.getfixturevalue("s3_bucket")  # type: ignore[no-any-return]


@pytest.fixture
def s3_bucket(aws: Callable[[str], Any], aws_environment: dict[str, str]) -> FastBucket:
    name = f"test-bucket-{next(_numbers)}"
    aws("s3").create_bucket(Bucket=name)
    return connect(name, CredentialSource(aws_environment), aws_environment)


@pytest.fixture
def unreachable() -> FastBucket:
    """A bucket on a port without a listener."""
    environment = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    return connect("nowhere", CredentialSource(environment), environment)


@pytest.fixture
def make_answer() -> Callable[[str], Answer]:
    return lambda code: Failed(list_errors_by_code()[code]())
