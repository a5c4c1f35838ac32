"""Read signing keys from Secrets Manager with a self-signed request."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from darkroom.aws.credentials import Credentials, CredentialSource
from darkroom.aws.secrets import CACHE_S, RETRY_S, Secret, sign_headers
from darkroom.aws.telemetry import LightObserver
from darkroom.errors import KeysInvalid, Unavailable
from darkroom.signing import parse_signing_keys
from darkroom_dialects.common.parsed_url import DialectKey
from darkroom_dialects.serving.signing_keys import parse_keys

from .emf_metrics import counted, of

type Keys = Secret[tuple[str, ...]]

ONE, TWO = "the first key of a test", "the second key of a test"
NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("token", ["", "session-token"])
@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1"])
def test_the_signature_is_botocores(token: str, region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW.replace(tzinfo=None))
    host, body = f"secretsmanager.{region}.amazonaws.com", b'{"SecretId": "x"}'
    ours = sign_headers(
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


OBSERVER = LightObserver("transform")


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def secret(aws: Any, aws_environment: dict[str, str]) -> tuple[Any, Keys, Clock]:
    client = aws("secretsmanager")
    arn = client.create_secret(Name=f"keys-{datetime.now(UTC).timestamp()}", SecretString=json.dumps({"current": ONE}))[
        "ARN"
    ]
    clock = Clock()

    def rotate(value: dict[str, str]) -> None:
        client.put_secret_value(SecretId=arn, SecretString=json.dumps(value))

    return (
        rotate,
        Secret(arn, CredentialSource(aws_environment), parse_signing_keys, aws_environment, clock, OBSERVER),
        clock,
    )


def test_keys_are_kept_and_fetched_again_after_a_while(secret: tuple[Any, Keys, Clock]) -> None:
    rotate, keys, clock = secret
    assert keys.get() == (ONE,)
    rotate({"current": TWO, "previous": ONE})
    assert keys.get() == (ONE,)
    clock.now_s += CACHE_S
    assert keys.get() == (TWO, ONE)


def test_a_signature_no_key_made_fetches_again_but_not_at_every_forgery(secret: tuple[Any, Keys, Clock]) -> None:
    rotate, keys, clock = secret
    keys.get()
    rotate({"current": TWO, "previous": ""})
    clock.now_s += RETRY_S / 2
    assert keys.get(refresh=True) == (ONE,)
    clock.now_s += RETRY_S
    assert keys.get(refresh=True) == (TWO,)


def test_a_rejected_secret_is_refused_logged_once_and_counted_at_each_fetch(
    secret: tuple[Any, Keys, Clock], capsys: pytest.CaptureFixture[str]
) -> None:
    rotate, keys, clock = secret
    assert keys.get() == (ONE,)
    rotate({"current": ONE, "previous": "short"})
    clock.now_s += CACHE_S
    for _ in range(3):
        for refresh in (False, True):
            with pytest.raises(KeysInvalid) as caught:
                keys.get(refresh=refresh)
            assert "short" not in caught.value.message + caught.value.detail
        clock.now_s += RETRY_S
    OBSERVER.flush()
    output = capsys.readouterr().out
    assert output.count("signing secret invalid") == 1
    assert "previous has fewer than 16 characters" in output
    assert of(counted(output), "SigningSecretInvalid") == {"": 3}
    rotate({"current": TWO, "previous": ONE})
    assert keys.get() == (TWO, ONE)


def test_a_missing_secret_is_a_fault(aws_environment: dict[str, str]) -> None:
    arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:no"
    keys = Secret(arn, CredentialSource(aws_environment), parse_signing_keys, aws_environment)
    with pytest.raises(Unavailable):
        keys.get()


@pytest.mark.parametrize("content", [{"SecretString": '{"thumbor": 7}'}, {"SecretBinary": b"{}"}])
def test_a_rejected_secret_of_dialects_is_fetched_again(
    aws: Any, aws_environment: dict[str, str], content: dict[str, Any]
) -> None:
    client, clock = aws("secretsmanager"), Clock()
    arn = client.create_secret(Name=f"languages-{datetime.now(UTC).timestamp()}", **content)["ARN"]
    keys = Secret(arn, CredentialSource(aws_environment), parse_keys, aws_environment, clock)
    with pytest.raises(KeysInvalid):
        keys.get()
    client.put_secret_value(SecretId=arn, SecretString=json.dumps({"thumbor": [ONE]}))
    clock.now_s += RETRY_S
    assert keys.get() == {"imgproxy": (), "thumbor": (DialectKey(ONE),), "dit": (), "imgix": (), "cloudinary": ()}
