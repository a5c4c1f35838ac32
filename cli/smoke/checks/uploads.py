"""Check uploads: forms, S3 events, ingest, and refused files."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from urllib.parse import quote
from uuid import uuid4

from ..failures import CheckSkipped, require
from ..images import Zeros, png
from ..model import Check
from ..world import Answer, World

ODD_NAMES = ("é.png", "a b.png", "a+b.png", "a~b.png", "a@b[1].png", "100%.png", "😀.png")
"""Names whose characters are encoded differently by CloudFront, Lambda, S3 and signatures."""

SERVED_PX = 334
"""A width that ingest does not create."""

LARGE_BYTES = 1024**3 + 5 * 1024**2
"""More than is copied in one request of S3."""

LARGE_WITHIN_S = 1800.0


def form_of(world: World, key: str, body: bytes, kind: str = "image/png") -> Answer:
    """Request a form from the API."""
    sha256 = hashlib.sha256(body).hexdigest()
    return world.api("POST", "/uploads", {"key": key, "type": kind, "size": len(body), "sha256": sha256})


def send(world: World, form: Mapping[str, object], body: bytes) -> Answer:
    """Send a file to S3 with its form."""
    boundary = uuid4().hex
    fields = form["fields"]
    assert isinstance(fields, dict)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    file = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'.encode()
    whole = b"".join((*parts, file, body, f"\r\n--{boundary}--\r\n".encode()))
    return world.request("POST", str(form["url"]), {"Content-Type": f"multipart/form-data; boundary={boundary}"}, whole)


def _upload(world: World, key: str, body: bytes) -> dict[str, object]:
    response = form_of(world, key, body)
    require(response.status == 201, f"POST /uploads answered {response.status}: {response.body[:300]!r}")
    sent = send(world, response.document(), body)
    require(sent.status == 204, f"S3 answered {sent.status}: {sent.body[:300]!r}")
    return world.wait_for_outcome(key)


def upload_by_form(world: World) -> str:
    """Upload an image by a form, and get it."""
    key = world.new_key("form.png")
    outcome = _upload(world, key, png(900, 600, secrets.randbelow(40_000)))
    require(outcome["state"] == "ready", f"it is {outcome['state']}: {outcome.get('reason')}")
    answer = world.get(world.signed(f"{world.path(key)}?w={SERVED_PX}"))
    require(answer.status == 200, f"the image is answered with {answer.status}")
    return "ready"


def refuse_other_bytes(world: World) -> str:
    """Send a form with other bytes than those it was requested for."""
    if world.is_local:
        raise CheckSkipped("MiniStack does not compare checksums of forms")
    key, body = world.new_key("other.png"), png(90, 60, secrets.randbelow(40_000))
    response = form_of(world, key, body)
    require(response.status == 201, f"POST /uploads answered {response.status}")
    sent = send(world, response.document(), body[:-1] + b"?")
    require(400 <= sent.status < 500, f"S3 answered {sent.status}")
    return f"S3 answered {sent.status}"


def serve_odd_keys(world: World) -> str:
    """Upload images under odd names, and get them at a width that ingest does not create."""
    wrong = []
    for name in ODD_NAMES:
        key = world.new_key(name)
        world.put_upload(key, png(900, 600, secrets.randbelow(40_000)))
        outcome = world.wait_for_outcome(key)
        status = world.get(world.signed(f"{world.path(key)}?w={SERVED_PX}")).status
        if (outcome["state"], status) != ("ready", 200):
            wrong.append(f"{name}: {outcome['state']}, {status}")
    require(not wrong, "; ".join(wrong))
    return " ".join(ODD_NAMES)


def _in_quarantine(world: World, key: str) -> bool:
    found = world.client("s3").list_objects_v2(Bucket=world.outputs["QuarantineBucketName"], Prefix=key)
    return int(found["KeyCount"]) > 0


def refuse(world: World) -> str:
    """Upload a file that is no image."""
    key = world.new_key("page.png")
    outcome = _upload(world, key, b"<!doctype html><title>no image</title>" + secrets.token_bytes(8).hex().encode())
    require(outcome["state"] == "refused", f"it is {outcome['state']}")
    require(_in_quarantine(world, key), "there is no copy in the quarantine bucket")
    return f"{outcome['code']}"


def refuse_large(world: World) -> str:
    """Upload more zeros than S3 copies in one request."""
    key = world.new_key("large.png")
    world.client("s3").upload_fileobj(Zeros(LARGE_BYTES), world.outputs["UploadsBucketName"], key)
    outcome = world.wait_for_outcome(key, within_s=LARGE_WITHIN_S)
    require(outcome["state"] == "refused", f"it is {outcome['state']}")
    require(_in_quarantine(world, key), "there is no copy in the quarantine bucket")
    return f"{outcome['code']}, {LARGE_BYTES:,} bytes"


def analyse(world: World) -> str:
    """Wait for the findings of an image."""
    if world.parameters.get("InferenceMode", "off") == "off":
        raise CheckSkipped("InferenceMode is off")
    s3, bucket = world.client("s3"), world.outputs["MediaBucketName"]

    def look() -> str | None:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="findings/"):
            for one in page.get("Contents", []):
                if world.folder in one["Key"] or quote(world.folder) in one["Key"]:
                    return str(one["Key"])
        return None

    assert world.image
    return world.wait(look, "there are no findings", 600.0)


CHECKS = (
    Check(
        "upload-form",
        "the HTTP API, presigned POSTs, S3's events through EventBridge and SQS, and ingest work",
        "the ingest queue and its dead letters; EventBridge's rule on the uploads bucket; logs of ingest",
        upload_by_form,
    ),
    Check(
        "upload-checksum",
        "S3 refuses bytes that have not the signed checksum",
        "fields of the form",
        refuse_other_bytes,
    ),
    Check(
        "odd-keys",
        "keys with spaces, non-ASCII letters and reserved characters are served through origin access control",
        "the answer's body: SignatureDoesNotMatch is of Lambda; the path that the edge function sends",
        serve_odd_keys,
    ),
    Check(
        "refused-upload",
        "a file that is no image is refused, and its copy is in the quarantine bucket",
        "logs of ingest, and its role's permissions on the quarantine bucket",
        refuse,
        ("QuarantineBucketName",),
    ),
    Check(
        "large-refused-upload",
        "a refused file over 1 GiB is copied to the quarantine bucket in parts, by a role that may not read it there",
        "dead letters of ingest with AccessDenied",
        refuse_large,
        ("QuarantineBucketName",),
        "large",
    ),
    Check(
        "inference",
        "images are analysed",
        "the infer queues and their dead letters; the endpoint's state and its log",
        analyse,
        ("InferQueueUrl",),
    ),
)
