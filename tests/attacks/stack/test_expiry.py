"""Expiry (decision 37): a link ends when it says; a derivative that is not stored is made for a valid link alone."""

from __future__ import annotations

import time
from urllib.parse import unquote

from darkroom.plan.url_builder import sign_target
from tests.images.photographs import jpeg_photo
from tests.stack.conftest import Stack
from tests.stack.viewer import Viewer

from .conftest import Attacker

FORGED = "A" * 43
YEAR_S = 365 * 86_400


def links(path: str, key: str) -> dict[str, str]:
    """Expired and edited links to one derivative, none of which is valid."""
    now_s = int(time.time())
    expired = sign_target(f"{path}?w=801", key, now_s - 60)
    return {
        "expired": expired,
        "later": expired.replace(f"exp={now_s - 60}", f"exp={now_s + YEAR_S}"),
        "without": expired.replace(f"&exp={now_s - 60}", ""),
        "forged": f"{path}?w=801&exp={now_s + YEAR_S}&s={FORGED}",
        "other": sign_target(f"{path}?w=802", key, now_s + YEAR_S).replace("w=802", "w=801"),
    }


def test_no_derivative_is_made_for_an_expired_or_edited_link(stack: Stack, viewer: Viewer, attacker: Attacker) -> None:
    path = viewer.upload(jpeg_photo((1200, 900)), "expiring.jpg")
    codes = {name: attacker.get(link).problem["code"] for name, link in links(path, stack.signing_key).items()}
    assert codes == {
        "expired": "expired",
        "later": "bad-signature",
        "without": "bad-signature",
        "forged": "bad-signature",
        "other": "bad-signature",
    }
    assert viewer.derivatives(path) == []


def test_an_expired_link_is_refused_without_an_invocation_though_its_derivative_is_stored(
    stack: Stack, viewer: Viewer, attacker: Attacker
) -> None:
    path = viewer.upload(jpeg_photo((1200, 900)), "stored.jpg")
    valid = sign_target(f"{path}?w=801", stack.signing_key, int(time.time()) + YEAR_S)
    assert attacker.get(valid).status == 200
    before = stack.invocations()
    found = {name: attacker.get(link).status for name, link in links(path, stack.signing_key).items()}
    assert found["expired"] == 403
    assert {name: status for name, status in found.items() if name != "expired"} == dict.fromkeys(
        ("later", "without", "forged", "other"), 200
    ), "as documented: signatures guard the making"
    assert stack.invocations() == before


def test_a_dialects_response_is_not_kept_beyond_the_expiry(stack: Stack, viewer: Viewer, attacker: Attacker) -> None:
    path = viewer.upload(jpeg_photo((1200, 900)), "dialect.jpg")
    key = unquote(path.removeprefix("/"))
    now_s = int(time.time())
    answer = attacker.get(f"/imgproxy/insecure/w:320/exp:{now_s + 600}/plain/{key}")
    ages_s = [int(part.rpartition("=")[2]) for part in answer.headers["cache-control"].split(", ")[1:]]
    assert answer.status == 200
    assert all(0 < age_s <= 600 for age_s in ages_s)
    refused = attacker.get(f"/imgproxy/insecure/w:320/exp:{now_s - 60}/plain/{key}")
    assert (refused.status, refused.problem["code"]) == (403, "expired")
