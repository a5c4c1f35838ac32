"""Signing keys come from Secrets Manager by a request of our own signing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from darkroom.aws.credentials import Credentials, CredentialSource
from darkroom.aws.secrets import KEEP_S, RETRY_S, Secret, SigningKeys, signed_headers
from darkroom.errors import Unavailable
from darkroom.plan.grammar.asked import Key
from darkroom.services.languages.keys import read_keys

NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("token", ["", "session-token"])
@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1"])
def test_the_signature_is_botocores(token: str, region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW.replace(tzinfo=None))
    host, body = f"secretsmanager.{region}.amazonaws.com", b'{"SecretId": "x"}'
    ours = signed_headers(
        host=host,
        target="secretsmanager.GetSecretValue",
        body=body,
        region=region,
        credentials=Credentials("AKID", "secret", token),
        now=NOW,
    )
    theirs = AWSRequest(
        "POST",
        f"https://{host}/",
        data=body,
        headers={"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "secretsmanager.GetSecretValue"},
    )
    SigV4Auth(BotoCredentials("AKID", "secret", token or None), "secretsmanager", region).add_auth(theirs)
    assert ours["authorization"] == theirs.headers["Authorization"]


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def secret(aws: Any, aws_environment: dict[str, str]) -> tuple[Any, SigningKeys, Clock]:
    client = aws("secretsmanager")
    arn = client.create_secret(Name=f"keys-{datetime.now(UTC).timestamp()}", SecretString='{"current": "one"}')["ARN"]
    clock = Clock()

    def rotate(value: dict[str, str]) -> None:
        client.put_secret_value(SecretId=arn, SecretString=json.dumps(value))

    return rotate, SigningKeys(arn, CredentialSource(aws_environment), aws_environment, clock), clock


def test_keys_are_kept_and_fetched_again_after_a_while(secret: tuple[Any, SigningKeys, Clock]) -> None:
    rotate, keys, clock = secret
    assert keys.valid() == ("one",)
    rotate({"current": "two", "previous": "one"})
    assert keys.valid() == ("one",)
    clock.now_s += KEEP_S
    assert keys.valid() == ("two", "one")


def test_a_signature_no_key_made_fetches_again_but_not_at_every_forgery(secret: tuple[Any, SigningKeys, Clock]) -> None:
    rotate, keys, clock = secret
    keys.valid()
    rotate({"current": "two", "previous": ""})
    clock.now_s += RETRY_S / 2
    assert keys.valid(distrust=True) == ("one",)
    clock.now_s += RETRY_S
    assert keys.valid(distrust=True) == ("two",)


def test_a_secret_without_keys_is_a_fault_that_names_no_arn(secret: tuple[Any, SigningKeys, Clock]) -> None:
    rotate, keys, _ = secret
    rotate({"current": ""})
    with pytest.raises(Unavailable) as caught:
        keys.valid()
    assert "arn:" not in caught.value.message


def test_a_missing_secret_is_a_fault(aws_environment: dict[str, str]) -> None:
    arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:no"
    keys = SigningKeys(arn, CredentialSource(aws_environment), aws_environment)
    with pytest.raises(Unavailable):
        keys.valid()


@pytest.mark.parametrize("text", ['{"thumbor": 7}', '{"imgproxy": [{"salt": "0a"}]}', "[]", "no JSON"])
def test_a_secret_that_cannot_be_read_is_a_fault_and_is_asked_for_again(
    aws: Any, aws_environment: dict[str, str], text: str
) -> None:
    client = aws("secretsmanager")
    arn = client.create_secret(Name=f"languages-{datetime.now(UTC).timestamp()}", SecretString=text)["ARN"]
    keys = Secret(arn, CredentialSource(aws_environment), read_keys, aws_environment)
    with pytest.raises(Unavailable) as caught:
        keys.valid()
    assert text not in caught.value.message
    client.put_secret_value(SecretId=arn, SecretString='{"thumbor": ["one"]}')
    assert keys.valid() == {"thumbor": (Key("one"),)}
