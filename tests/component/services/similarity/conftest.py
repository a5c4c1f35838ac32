"""The similar function with its own tables and keys."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from darkroom.findings import VECTOR_TASKS
from darkroom_pipeline.aws.tag_index import TagIndex
from darkroom_pipeline.aws.vectors.dynamodb import DynamoDBVectors
from tests.component.aws.similar import make_vector_table
from tests.component.services.functions import load
from tests.component.services.ingest_environment import make_table
from tests.component.services.upload.api import KEYS

from .api import Deployment


@pytest.fixture
def deployment(aws: Callable[[str], Any], aws_environment: dict[str, str]) -> Deployment:
    dynamodb = aws("dynamodb")
    index, vectors = f"index-{time.time_ns()}", f"vectors-{time.time_ns()}"
    make_table(dynamodb, index)
    make_vector_table(dynamodb, vectors)
    secret = aws("secretsmanager").create_secret(Name=f"keys-{index}", SecretString=json.dumps(KEYS))
    own = {
        "MEDIA_BUCKET": "of-settings",
        "INDEX_TABLE": index,
        "VECTOR_TABLE": vectors,
        "SIGNING_KEYS_ARN": secret["ARN"],
    }
    environment = aws_environment | own | {"INFERENCE_MODE": "endpoint"}
    stores = {task: DynamoDBVectors(dynamodb, vectors, task) for task in VECTOR_TASKS}
    function = load("similar", environment, {})
    return Deployment(function, environment, dynamodb, stores, TagIndex(dynamodb, vectors))
