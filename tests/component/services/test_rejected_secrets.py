"""The transform function while its secrets are rejected: signed requests are refused, others are served."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from darkroom_pipeline.aws.s3 import S3Bucket

from .test_live_settings import LADDER, OTHER, ask, media, start, write

__all__ = ["media"]

SECRETS = {
    "text for a list": {"thumbor": "secretkey"},
    "an empty key": {"imgproxy": [{"key": "", "salt": ""}]},
    "no hexadecimal digits": {"imgproxy": [{"key": "not hexadecimal digits", "salt": "0a"}]},
}
SIGNED = {
    "imgproxy": "/imgproxy/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/w:641/plain/photo.jpg",
    "thumbor": "/thumbor/AAAAAAAAAAAAAAAAAAAAAAAAAAA=/641x200/photo.jpg",
    "dit": "/dit/photo.jpg?signature=00&width=641",
    "imgix": "/imgix/photo.jpg?w=641&s=00",
    "cloudinary": "/cloudinary/demo/image/upload/s--AAAAAAAA--/w_641/photo.jpg",
}
UNSIGNED = {"imgproxy": "/imgproxy/_/w:640/plain/photo.jpg", "thumbor": "/thumbor/unsafe/fit-in/640x0/photo.jpg"}


@pytest.mark.parametrize("secret", SECRETS)
def test_signed_requests_are_refused_and_guarded_ones_are_served(
    aws: Callable[[str], Any],
    media: S3Bucket,
    aws_environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    secret: str,
) -> None:
    write(media, **{f"{name}_access_mode": "guarded" for name in SIGNED})
    create = aws("secretsmanager").create_secret
    arns = [
        create(Name=f"{name}-{time.time_ns()}", SecretString=json.dumps(document))["ARN"]
        for name, document in (("native", {"current": "short"}), ("dialects", SECRETS[secret]))
    ]
    own = {"SIGNING_KEYS_ARN": arns[0], "LANGUAGE_KEYS_ARN": arns[1]}
    function = start(aws_environment, aws_environment["AWS_ENDPOINT_URL"], monkeypatch, **own)
    requests = [(OTHER, {"x-darkroom-signature": "A" * 43, "x-darkroom-request": OTHER})]
    requests += [(url, {"x-darkroom-language": name, "x-darkroom-url": url}) for name, url in SIGNED.items()]
    for path, headers in requests:
        answer = ask(function, path, **headers)
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (503, "keys-invalid"), path
        assert answer["headers"]["cache-control"] == "no-store"
    assert ask(function, LADDER)["statusCode"] == 200
    for name, url in UNSIGNED.items():
        assert ask(function, url, **{"x-darkroom-language": name, "x-darkroom-url": url})["statusCode"] == 200
    assert capsys.readouterr().out.count("signing secret invalid") == 2, "one line for each secret"
