"""Private images through the local CDN: each link is verified, also where the image is stored and cached."""

from __future__ import annotations

import json
import time

from darkroom.plan.url_builder import sign_literal, sign_target
from tests.images.photographs import jpeg_photo
from tests.stack.conftest import Stack

from .conftest import PRIVATE, Attacker

PHOTO = f"/{PRIVATE}17/photo.jpg?w=640"


def test_links_are_verified_before_the_cache(stack: Stack, attacker: Attacker) -> None:
    stack.cloud.s3.put_object(
        Bucket=stack.media_bucket, Key=f"masters{PHOTO.partition('?')[0]}", Body=jpeg_photo((1200, 900))
    )
    key, now_s = stack.signing_key, int(time.time())
    assert json.loads(attacker.get(PHOTO).body)["code"] == "unsigned"
    first = attacker.get(sign_target(PHOTO, key, now_s + 600))
    second = attacker.get(sign_literal(PHOTO, key, now_s + 900))
    assert (first.status, first.headers["x-cache"][:4]) == (200, "Miss")
    assert (second.status, second.headers["x-cache"][:3], second.body) == (200, "Hit", first.body)
    assert first.headers["cache-control"].startswith("private, max-age=")
    before = stack.invocations()
    forged = sign_target(PHOTO, key[:-1], now_s + 600)
    links = (PHOTO, sign_target(PHOTO, key), sign_target(PHOTO, key, now_s - 1), forged)
    codes = [json.loads(attacker.get(link).body)["code"] for link in links]
    assert codes == ["unsigned", "unsigned", "expired", "bad-signature"]
    assert stack.invocations() == before
