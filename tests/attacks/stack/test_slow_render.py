"""A render over the CPU limit on a deployed stack: it is answered and marked, and the function goes on."""

from __future__ import annotations

import json

import pytest

from tests.images.photographs import jpeg_photo
from tests.images.slow_svg import crossed
from tests.stack.conftest import Stack
from tests.waiting import wait_until

from .conftest import Attacker

pytestmark = pytest.mark.slow

LADDER = (320, 640, 960, 1280)


def test_a_slow_svg_is_refused_and_the_function_goes_on(stack: Stack, attacker: Attacker) -> None:
    """Placed by hand. On a busy machine the limit of elapsed time answers 503 first, without a marker."""
    s3, bucket = stack.cloud.s3, stack.media_bucket
    s3.put_object(Bucket=bucket, Key="masters/slow.svg", Body=crossed(16_000))
    s3.put_object(Bucket=bucket, Key="masters/good.jpg", Body=jpeg_photo())
    answers = []

    def is_refused() -> bool:
        answers.append(attacker.get("/slow.svg?w=1920", accept="image/webp"))
        assert answers[-1].status in (422, 503)
        assert attacker.get(f"/good.jpg?w={LADDER[len(answers) % len(LADDER)]}", accept="image/webp").status == 200
        return answers[-1].status == 422

    wait_until(is_refused, lambda: [answer.status for answer in answers])
    assert json.loads(answers[-1].body)["code"] == "too-slow"
    marker = s3.get_object(Bucket=bucket, Key="derivatives/slow.svg/_/refusal.json")["Body"].read()
    assert b"too-slow" in marker
