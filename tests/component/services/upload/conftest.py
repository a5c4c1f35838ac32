"""The upload function with its own bucket, index and keys."""

from __future__ import annotations

import importlib.util
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .api import KEYS, ROOT, Api


@pytest.fixture(scope="module")
def api(aws: Callable[[str], Any], aws_environment: dict[str, str]) -> Iterator[Api]:
    s3, dynamodb = aws("s3"), aws("dynamodb")
    bucket, table = f"uploads-{time.time_ns()}", f"index-{time.time_ns()}"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    dynamodb.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    secret = aws("secretsmanager").create_secret(Name=f"keys-{table}", SecretString=json.dumps(KEYS))
    own = {"UPLOADS_BUCKET": bucket, "MEDIA_BUCKET": bucket, "INDEX_TABLE": table, "SIGNING_KEYS_ARN": secret["ARN"]}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (aws_environment | own).items():
            patch.setenv(name, value)
        spec = importlib.util.spec_from_file_location("upload_app", ROOT / "functions" / "upload" / "app.py")
        assert spec and spec.loader
        app = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(app)
        yield Api(app, s3, dynamodb, bucket, table)
