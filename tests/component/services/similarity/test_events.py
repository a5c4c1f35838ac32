"""Each event gets the response that its name states."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from darkroom.services.upload_requests import Grant, make_token
from local.events import LOCAL_KEY, read_events
from tests.component.aws.similar import direction

from .api import Deployment


@pytest.fixture
def local(deployment: Deployment, aws: Callable[[str], Any]) -> Deployment:
    """The function with the signing key of the local stack."""
    secret = aws("secretsmanager").create_secret(
        Name=f"local-{time.time_ns()}", SecretString=json.dumps({"current": LOCAL_KEY, "previous": ""})
    )
    return deployment.with_environment(SIGNING_KEYS_ARN=secret["ARN"])


def invoke(deployment: Deployment, event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    with mock.patch.dict(os.environ, deployment.environment):
        made = deployment.function.invoke(event)
    return made["statusCode"], json.loads(made["body"])


@pytest.mark.parametrize(("name", "says"), [("expired.json", "expired"), ("no-token.json", "Authorization: Bearer")])
def test_an_event_gets_the_answer_of_its_name(local: Deployment, name: str, says: str) -> None:
    status, problem = invoke(local, read_events("similar")[name])
    assert (status, problem["code"]) == (401, "bad-token")
    assert says in problem["detail"]


def test_with_a_token_in_it_an_event_shows_images(local: Deployment) -> None:
    for name in ("coffee.png", "copy.png"):
        local.image(f"samples/{name}", direction(1))
    event = read_events("similar")["expired.json"]
    event["headers"]["authorization"] = f"Bearer {make_token(Grant('samples/', int(time.time()) + 3600), LOCAL_KEY)}"
    status, answer = invoke(local, event)
    assert (status, [result["key"] for result in answer["results"]]) == (200, ["samples/copy.png"])


def test_every_event_has_an_answer_here() -> None:
    assert set(read_events("similar")) == {"expired.json", "no-token.json"}
