"""Both kinds of signatures through the local CDN and the deployed function."""

from __future__ import annotations

import io
import json
import subprocess
from typing import Any

import pytest
from PIL import Image

from local.paths import COMMAND
from tests.images.photographs import jpeg_photo
from tests.waiting import HANG_S, wait_until

from .conftest import Stack
from .viewer import Viewer

pytestmark = pytest.mark.smoke


def test_a_literal_and_a_canonical_signature_lead_to_one_stored_object(viewer: Viewer) -> None:
    key = viewer.upload(jpeg_photo(size=(900, 600)), "caf\u00e9 (1).jpg")
    url = f"{key}?h=301&fit=cover&width=402&gravity=fp:0.25:0.5&f=webp&sharp=1.0"
    first = viewer.get(viewer.signed_literally(url))
    assert first.status == 200, first.body
    assert Image.open(io.BytesIO(first.body)).size == (402, 301)
    second = viewer.get(viewer.signed(url))
    assert (second.status, second.body, second.headers["etag"]) == (200, first.body, first.headers["etag"])
    assert viewer.renders(key) == 1
    assert len(viewer.derivatives(key)) == 1


def test_another_spelling_needs_another_literal_signature_and_the_error_has_its_text(viewer: Viewer) -> None:
    key = viewer.upload(jpeg_photo(size=(900, 600)), "photo.jpg")
    signed = viewer.signed_literally(f"{key}?w=403&f=webp")
    refused = viewer.get(signed.replace("w=403&f=webp", "f=webp&w=403"))
    assert (refused.status, refused.problem["code"], refused.headers["cache-control"]) == (
        403,
        "bad-signature",
        "no-store",
    )
    assert f"'{key}?f=webp&w=403' (URL as written)" in refused.problem["detail"]
    assert f"'{key}/_/w-403.webp' (canonical request)" in refused.problem["detail"]
    assert viewer.get(signed).status == 200


@pytest.mark.slow
def test_a_url_is_explained_with_its_answer(viewer: Viewer, stack: Stack) -> None:
    key = viewer.upload(jpeg_photo(size=(900, 600)), "photo.jpg")
    signed = viewer.signed_literally(f"{key}?w=405&f=webp&trim=0")
    assert viewer.get(signed).status == 200

    def explain() -> dict[str, Any]:
        command = [*COMMAND, "explain", "--json", signed, "--state-dir", str(stack.state)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=HANG_S, check=True)
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    wait_until(lambda: bool(explain()["answers"]), "the log has the answer", HANG_S, every_s=1.0)
    found = explain()
    assert (found["refusal"], found["signature"]["kind"], found["policy"]["needs_signature"]) == (None, "literal", True)
    assert [one["name"] for one in found["derivatives"]] == [f"derivatives{key}/_/w-405.webp"]
    assert found["derivatives"][0]["is_of_master"]
    assert found["master"]["uri"].endswith(f"/masters{key}")
    [answer] = found["answers"]
    assert (answer["path"], answer["status"]) == (f"{key}/_/w-405.webp", 200)
    assert answer["correlation_id"]
