"""Popular derivatives end to end: viewers, CDN access logs, the hourly count, the re-encoded image."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from typing import Any

from darkroom.settings import DEFAULTS
from darkroom_pipeline.operations.popular.service import SETTLED_S
from tests.images.photographs import jpeg_photo
from tests.waiting import wait_until

from .conftest import Stack
from .operating import Operator
from .viewer import Viewer

HITS = DEFAULTS.refine_hits
REFINED_WITHIN_S = 900.0
"""Popular requests of other tests are in the same logs, and may be re-encoded first."""
ACCEPT = "image/webp"


def count(stack: Stack) -> dict[str, Any]:
    """Return the function's report for the hour until now."""
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + SETTLED_S + 1))
    answer = stack.cloud.functions.invoke(
        FunctionName=stack.functions["PopularFunction"]["name"], Payload=json.dumps({"time": until}).encode()
    )
    return dict(json.loads(answer["Payload"].read()))


def delivered(stack: Stack, path: str) -> int:
    """The lines of all delivered access logs that are about the image at ``path``."""
    s3 = stack.cloud.s3
    configuration = stack.cloud.functions.get_function_configuration(
        FunctionName=stack.functions["PopularFunction"]["name"]
    )
    bucket = configuration["Environment"]["Variables"]["LOG_BUCKET"]
    names = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    files = (gzip.decompress(s3.get_object(Bucket=bucket, Key=name)["Body"].read()) for name in names)
    return sum(path in line for file in files for line in file.decode().splitlines())


def pace(stack: Stack, path: str, name: str) -> str:
    key = f"derivatives{path}/_/{name}"
    return stack.cloud.s3.head_object(Bucket=stack.media_bucket, Key=key)["Metadata"].get("pace", "")


def test_a_signed_image_that_many_viewers_get_is_re_encoded(stack: Stack, viewer: Viewer, tmp_path: Path) -> None:
    Operator(stack, tmp_path).forget_orders()
    path = viewer.upload(jpeg_photo((900, 600)), "popular.jpg")
    url = viewer.signed(f"{path}?w=333")
    statuses = [viewer.get(url, accept=ACCEPT).status for _ in range(HITS)]
    assert statuses == [200] * HITS
    [name] = viewer.derivatives(path)
    assert pace(stack, path, name) == "quick"
    wait_until(lambda: delivered(stack, path) >= HITS, "the access log is delivered", every_s=1)
    found = count(stack)
    assert (found["files_unread"], found["lines_unread"]) == (0, 0)
    assert found["lines"] >= HITS
    assert found["sent"] > 0
    wait_until(lambda: pace(stack, path, name) == "thorough", "it is refined", REFINED_WITHIN_S, every_s=1)
