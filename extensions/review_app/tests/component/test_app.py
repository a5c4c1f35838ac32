"""The review function as its HTTP API calls it: roles, protection of its pages, and what each request does."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from PIL import Image

from darkroom.findings import GRID
from darkroom.plan.model import SOURCE_MEDIA_TYPES
from darkroom_analysis.review.app import HEADERS, PAGES, UNAVAILABLE
from darkroom_pipeline.aws.audit import hash_key
from darkroom_pipeline.aws.record import HELD, READY
from darkroom_pipeline.services.ingest.context import IngestOutcome
from extensions import find_extension
from extensions.review_app.tests.issuer import ADA, ALAN, GRACE, Account
from local.events import read_events
from tests.images.hidden import flagged_drawing, in_frame
from tests.images.photographs import jpeg_photo

from .world import EXPLANATION, SITE, World, read_result

EVENTS = find_extension("review_app").folder / "events"

KEY = "trips/Rom 2026.png"
BY_ADA, BY_GRACE = "Ada Lovelace <ada@example.com>", "Grace Hopper <grace@example.com>"

REVIEWERS = ["api/review", "api/review/reason", "api/review/image", "api/audit"]
DEVELOPERS = ["api/options", "api/photographs", "api/sign"]


@pytest.mark.sample(3)
@pytest.mark.parametrize("path", ["api/session", *REVIEWERS, *DEVELOPERS])
def test_nothing_is_answered_without_a_session(world: World, path: str) -> None:
    for answer in (world.get(path, None), world.send("GET", path, token="forged.token.here")):
        assert (answer.status, answer.document["code"]) == (401, "not-signed-in")
    assert world.send("POST", "api/review", headers={"origin": SITE}).status == 401


@pytest.mark.sample(9)
@pytest.mark.parametrize(
    ("account", "allowed"),
    [(ADA, REVIEWERS + DEVELOPERS), (GRACE, REVIEWERS), (ALAN, [])],
    ids=["ada", "grace", "alan"],
)
def test_each_role_has_its_own_paths(world: World, account: Account, allowed: list[str]) -> None:
    assert world.get("api/session", account).status == 200
    for path in REVIEWERS + DEVELOPERS:
        answer = world.get(path, account)
        assert (answer.status == 403) is (path not in allowed), path
        if path not in allowed:
            assert answer.document["code"] == "not-allowed"
    assert (world.post("api/review", {}, account).status == 403) is (account is ALAN)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "status"), [("page.json", 200), ("no-session.json", 401)])
def test_sample_events_get_the_response_of_their_names(world: World, name: str, status: int) -> None:
    assert read_result(world.function.invoke(read_events("review", EVENTS)[name])).status == status


@pytest.mark.slow
def test_every_response_has_the_headers_that_protect_it(world: World) -> None:
    for answer in (world.get("", None), world.get("app.js", None), world.get("api/review"), world.get("nothing")):
        assert answer.headers.items() >= {**HEADERS, "cache-control": answer.headers["cache-control"]}.items()
    policy = HEADERS["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert world.get("api/review").headers["cache-control"] == "no-store"


@pytest.mark.slow
def test_the_pages_are_there_and_nothing_else_of_the_folder(world: World) -> None:
    page = world.get("", None)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.body == world.get("app", None).body == (PAGES / "app.html").read_bytes()
    for path in PAGES.iterdir():
        assert world.get(path.name, None).body == path.read_bytes()
    for path in ("../app.py", "app.py", "pages/app.js", "%2e%2e/app.py", "api", "api/nothing"):
        assert world.get(path, None).status == 404
    assert world.send("DELETE", "app").status == 405


def test_pages_have_no_inline_scripts_or_styles() -> None:
    """The policy would block them."""
    page = (PAGES / "app.html").read_text()
    assert "<style" not in page
    assert " style=" not in page
    assert page.count("<script") == page.count('<script type="module" src=') == 1
    for module in PAGES.glob("*.js"):
        text = module.read_text()
        assert not {"innerHTML", "insertAdjacentHTML", "document.write", "setAttribute('style'"} & set(text.split("."))
        assert "eval(" not in text


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json"},
        {"content-type": "application/json", "origin": "https://evil.example"},
        {"content-type": "application/json", "origin": "null"},
        {"content-type": "application/json", "origin": f"{SITE}.evil.example"},
        {"content-type": "application/json", "origin": SITE.replace("https", "http")},
    ],
)
def test_a_decision_that_another_site_sends_is_refused(world: World, headers: dict[str, str]) -> None:
    world.hold(KEY)
    document = {"key": KEY, "decision": "release", "version": world.taken.record(KEY).token}
    answer = world.post("api/review", document, headers=headers)
    assert (answer.status, answer.document["code"]) == (403, "not-allowed")
    assert world.taken.messages("reviews") == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "text",
        {},
        {"key": KEY, "decision": "release"},
        {"key": KEY, "decision": "delete", "version": "v"},
        {"key": "", "decision": "release", "version": "v"},
        {"key": KEY, "decision": "release", "version": 7},
        {"key": KEY, "decision": "release", "version": ""},
    ],
)
def test_a_malformed_decision_is_refused(world: World, document: Any) -> None:
    answer = world.post("api/review", document)
    assert (answer.status, answer.document["code"]) == (400, "bad-decision")


@pytest.mark.slow
def test_a_decision_that_is_nested_too_deeply_is_refused(world: World) -> None:
    """Python's parser gives up on it by a RecursionError, which is no ValueError."""
    for nested in (b"[" * 100_000, b'{"key":' * 100_000):
        headers = {"origin": SITE, "content-type": "application/json"}
        answer = world.send("POST", "api/review", token=world.issuer.token(), headers=headers, body=nested)
        assert (answer.status, answer.document["code"]) == (400, "bad-decision")


@pytest.mark.slow
def test_a_form_of_another_type_is_refused(world: World) -> None:
    answer = world.send(
        "POST",
        "api/review",
        token=world.issuer.token(),
        headers={"origin": SITE, "content-type": "text/plain"},
        body=b"{}",
    )
    assert (answer.status, answer.document["detail"]) == (400, "Expected application/json")


@pytest.mark.slow
def test_flagged_images_are_listed_with_the_reason(world: World) -> None:
    world.hold(KEY)
    [listed] = world.get("api/review", GRACE).document
    assert listed == {
        "key": KEY,
        "version": world.taken.record(KEY).token,
        "since_s": world.taken.now_s,
        "width": 320,
        "height": 320,
        "format": "png",
        "frames": 1,
    }
    reason = world.get("api/review/reason", GRACE, key=KEY).document
    assert (reason["labels"], reason["model"]) == ([{"name": "nsfw", "score": 0.986}], "open-nsfw 1")
    assert (reason["explanation"]["grid"], reason["explanation"]["cells"]) == (GRID, [9])
    assert reason["explanation"]["scores"] == list(EXPLANATION.scores)


@pytest.mark.slow
def test_an_unknown_reason_is_reported_as_unknown(world: World) -> None:
    body = jpeg_photo()
    world.taken.created(KEY, body)
    world.taken.judged(KEY, flagged=True, body=body)
    reason = world.get("api/review/reason", key=KEY).document
    assert (reason["labels"], reason["model"], reason["explanation"]) == (None, None, None)
    world.hold("other.png", explanation=None)
    reason = world.get("api/review/reason", key="other.png").document
    assert (reason["labels"], reason["explanation"]) == ([{"name": "nsfw", "score": 0.986}], None)
    assert world.get("api/review/reason", key="nothing.png").status == 404


@pytest.mark.slow
def test_findings_of_another_upload_are_no_reason(world: World) -> None:
    world.hold(KEY)
    other = jpeg_photo()
    world.taken.created(KEY, other)
    reason = world.get("api/review/reason", key=KEY).document
    assert (reason["labels"], reason["explanation"]) == (None, None)


@pytest.mark.slow
def test_the_image_is_rendered(world: World) -> None:
    world.hold(KEY, jpeg_photo((3000, 2000)))
    answer = world.get("api/review/image", GRACE, key=KEY)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
    with Image.open(io.BytesIO(answer.body)) as image:
        assert (image.format, image.size) == ("JPEG", (1024, 683))


@pytest.mark.slow
def test_the_image_is_that_of_the_explained_view(world: World) -> None:
    world.hold(KEY, in_frame(flagged_drawing(), "GIF", 2, 4, duration=80))
    first, *others = (world.get("api/review/image", key=KEY, view=str(number)) for number in range(5))
    with Image.open(io.BytesIO(first.body)) as image:
        assert image.getpixel((10, 10)) != (255, 255, 255)
    shown = [answer for answer in others if answer.status == 200]
    corners = [Image.open(io.BytesIO(answer.body)).convert("RGB").getpixel((310, 60)) for answer in shown]
    assert sum(all(value > 245 for value in corner) for corner in corners) == 1, "the drawing is on white"
    assert world.get("api/review/image", key=KEY, view="60").status == 404


@pytest.mark.sample(3)
@pytest.mark.parametrize("key", ["nothing.png", "served.png", "", "../secret"])
def test_there_is_no_image_of_what_is_not_held(world: World, key: str) -> None:
    world.taken.blocks = False
    world.taken.created("served.png", jpeg_photo())
    assert world.get("api/review/image", key=key).status == 404


def test_a_release_is_carried_out_and_logged_with_the_persons_name(world: World) -> None:
    world.hold(KEY)
    answer = world.decide(KEY, "release", GRACE)
    assert (answer.status, answer.document) == (202, {"key": KEY, "decision": "release", "by": BY_GRACE})
    assert world.carry_out() == [IngestOutcome.RELEASED]
    assert world.taken.record(KEY).state == READY
    assert world.get("api/review").document == []
    [entry] = world.get("api/audit", GRACE).document
    assert (entry["kind"], entry["subject"], entry["by"]) == ("override", hash_key(KEY), BY_GRACE)
    assert entry["facts"]["decision"] == "release"
    assert KEY not in json.dumps(entry)


@pytest.mark.slow
def test_the_second_reviewer_gets_a_conflict(world: World) -> None:
    world.hold(KEY)
    version = world.taken.record(KEY).token
    assert world.decide(KEY, "confirm", ADA, version).status == 202
    for _ in range(2):
        answer = world.decide(KEY, "release", GRACE, version)
        assert (answer.status, answer.document["code"], answer.document["by"]) == (409, "conflict", BY_ADA)
        world.carry_out()
    assert world.taken.record(KEY).state == HELD
    assert [entry["by"] for entry in world.get("api/audit").document] == [BY_ADA]


@pytest.mark.slow
def test_a_role_counts_at_the_decision_and_not_at_the_page(world: World) -> None:
    world.hold(KEY)
    assert world.decide(KEY, "release", ALAN).status == 403
    assert world.taken.messages("reviews") == []


@pytest.mark.slow
def test_urls_are_signed_for_an_hour(world: World) -> None:
    answer = world.get("api/sign", target="/photo.jpg?w=333")
    assert answer.document["target"].startswith("/photo.jpg?w=333&exp=")
    assert "&s=" in answer.document["target"]
    for wrong in ("/photo.jpg?w=0", "/photo.jpg?what=1", ""):
        assert world.get("api/sign", target=wrong).status == 400


@pytest.mark.slow
def test_the_playground_has_options_and_keys(world: World) -> None:
    world.taken.blocks = False
    for key in ("a/1.jpg", "a/2.PNG", "b/3.jpg", "b/notes.txt"):
        world.taken.vault("media").put(
            f"masters/{key}", b"x", headers={"Content-Type": "image/jpeg"}, metadata={}, replaces=None
        )
    assert world.get("api/photographs").document == ["a/1.jpg", "a/2.PNG", "b/3.jpg"]
    assert world.get("api/photographs", prefix="b/").document == ["b/3.jpg"]
    options = world.get("api/options").document
    assert {"w", "h", "f"} <= {option["short"] for option in options["options"]}
    assert "cover" in options["presets"]
    assert SOURCE_MEDIA_TYPES


@pytest.mark.slow
def test_faults_are_problems_without_details(world: World) -> None:
    world.environment["INDEX_TABLE"] = "no-such-table"
    answer = world.get("api/review")
    assert (answer.status, answer.document["code"]) == (503, "unavailable")
    assert answer.document["detail"] == UNAVAILABLE
    assert "no-such-table" not in answer.body.decode()


@pytest.mark.slow
def test_settings_that_cannot_be_read_are_a_fault_of_every_path(world: World) -> None:
    world.settings = None
    world.environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    answer = world.get("app", None)
    assert answer.status == 503
    assert answer.headers["content-security-policy"] == HEADERS["content-security-policy"]
