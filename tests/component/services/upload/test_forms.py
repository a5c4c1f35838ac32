"""Send the presigned forms to MiniStack's S3 as browsers do."""

from __future__ import annotations

import base64
import itertools
import json
import time
from datetime import datetime

import pytest

from darkroom.services.upload_requests import SOURCE_MEDIA_TYPES, Grant, make_token
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.presigned_post import PostPresigner

from .api import DATA, KEYS, SHA256, Api, send

_numbers = itertools.count(1)


def test_a_form_takes_the_file(api: Api) -> None:
    answer = api.ask(key="trips/Rom & Cäsar 100%.jpg")
    assert answer.status == 201
    assert answer.headers == {"content-type": "application/json", "cache-control": "no-store"}
    assert answer.document.keys() == {"key", "url", "fields", "expires_at", "status"}
    assert answer.document["key"] == "trips/Rom & Cäsar 100%.jpg"
    assert answer.document["status"] == "/uploads/trips/Rom%20%26%20C%C3%A4sar%20100%25.jpg"
    assert send(answer.document) == (204, "")
    found = api.uploaded("trips/Rom & Cäsar 100%.jpg")
    assert found["Body"].read() == DATA
    assert found["ContentType"] == "image/jpeg"
    assert found["Metadata"] == {"declared-sha256": base64.b64encode(SHA256.digest()).decode()}


def test_the_policy_pins_everything(api: Api) -> None:
    fields = api.ask().document["fields"]
    policy = json.loads(base64.b64decode(fields["policy"]))
    checksum = base64.b64encode(SHA256.digest()).decode()
    assert fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    pinned: dict[str, str] = {}
    for condition in policy["conditions"]:
        if isinstance(condition, dict):
            pinned |= condition
    assert (
        pinned.items()
        >= {
            "bucket": api.bucket,
            "key": "trips/rome.jpg",
            "Content-Type": "image/jpeg",
            "x-amz-checksum-algorithm": "SHA256",
            "x-amz-checksum-sha256": checksum,
        }.items()
    )
    assert ["content-length-range", len(DATA), len(DATA)] in policy["conditions"]
    assert fields.keys() - pinned.keys() == {"policy", "x-amz-signature"}


def test_the_form_of_an_urgent_token_makes_its_upload_urgent(api: Api) -> None:
    """The policy contains it: a client can neither remove nor change it."""
    form = api.ask(make_token(Grant("trips/", int(time.time()) + 60, priority="urgent"), KEYS["current"])).document
    assert form["fields"]["x-amz-meta-priority"] == "urgent"
    without = {name: value for name, value in form["fields"].items() if name != "x-amz-meta-priority"}
    for fields in (without, form["fields"] | {"x-amz-meta-priority": "none"}):
        status, answer = send(form | {"fields": fields})
        assert (status, "AccessDenied" in answer) == (403, True)
    assert send(form) == (204, "")
    assert api.uploaded("trips/rome.jpg")["Metadata"]["priority"] == "urgent"


def test_the_form_of_another_token_accepts_no_priority(api: Api) -> None:
    form = api.ask().document
    assert "x-amz-meta-priority" not in form["fields"]
    status, answer = send(form | {"fields": form["fields"] | {"x-amz-meta-priority": "urgent"}})
    assert (status, "AccessDenied" in answer) == (403, True)


def test_the_form_expires_at_its_stated_time(api: Api) -> None:
    before_s = int(time.time())
    document = api.ask().document
    policy = json.loads(base64.b64decode(document["fields"]["policy"]))
    assert abs(_unix(document["expires_at"]) - _unix(policy["expiration"])) <= 1
    assert before_s + 900 <= _unix(document["expires_at"]) <= time.time() + 900


def _unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"key": "trips/other.jpg"}, "AccessDenied"),
        ({"key": "trips/rome.jpg/${filename}"}, "AccessDenied"),
        ({"Content-Type": "text/html"}, "AccessDenied"),
        ({"x-amz-checksum-sha256": base64.b64encode(bytes(32)).decode()}, "AccessDenied"),
        ({"x-amz-checksum-sha256": None}, "AccessDenied"),
        ({"x-amz-checksum-algorithm": None}, "AccessDenied"),
        ({"x-amz-checksum-algorithm": "CRC32"}, "AccessDenied"),
        ({"x-amz-meta-declared-sha256": base64.b64encode(bytes(32)).decode()}, "AccessDenied"),
        ({"acl": "public-read"}, "AccessDenied"),
        ({"x-amz-meta-more": "than asked for"}, "AccessDenied"),
        ({"success_action_redirect": "https://example.com/"}, "AccessDenied"),
        ({"policy": None}, "InvalidArgument"),
        ({"x-amz-signature": None}, "InvalidArgument"),
    ],
)
def test_s3_refuses_what_was_not_requested(api: Api, changes: dict[str, str | None], code: str) -> None:
    key = f"trips/refused-{next(_numbers)}.jpg"
    form = api.ask(key=key).document
    assert send(form, **changes)[1] == code
    assert api.uploaded(key) is None
    assert send(form) == (204, "")


@pytest.mark.parametrize(("data", "code"), [(DATA[1:], "EntityTooSmall"), (DATA + b"x", "EntityTooLarge")])
def test_s3_refuses_another_size(api: Api, data: bytes, code: str) -> None:
    form = api.ask(key="trips/size.jpg").document
    assert send(form, data) == (400, code)
    assert api.uploaded("trips/size.jpg") is None


def test_s3_refuses_a_form_whose_time_is_over(aws_environment: dict[str, str], api: Api) -> None:
    forms = PostPresigner(create_client("s3", aws_environment), api.bucket)
    checksum = base64.b64encode(SHA256.digest()).decode()
    late = forms.presign("trips/late.jpg", "image/jpeg", len(DATA), checksum, expires_in_s=-1)
    assert send(late) == (403, "AccessDenied")
    assert api.uploaded("trips/late.jpg") is None


def test_a_form_is_for_the_store_next_to_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """On AWS that is the bucket's own host in its region: a global host would redirect a POST, body and all."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    environment = {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    forms = PostPresigner(create_client("s3", environment | {"AWS_SESSION_TOKEN": "of a function"}), "my-uploads")
    form = forms.presign("a.jpg", "image/jpeg", 1, "x", expires_in_s=9)
    assert form.url == "https://my-uploads.s3.eu-central-1.amazonaws.com/"
    assert form.fields["x-amz-security-token"] == "of a function"
    assert "/eu-central-1/s3/" in form.fields["x-amz-credential"]


@pytest.mark.parametrize("media_type", SOURCE_MEDIA_TYPES)
def test_every_image_type(api: Api, media_type: str) -> None:
    key = f"trips/{media_type.replace('/', '.')}"
    assert send(api.ask(key=key, type=media_type).document) == (204, "")
    assert api.uploaded(key)["ContentType"] == media_type
