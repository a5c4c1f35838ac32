"""Images with a tag, and images of the same kind of thing: authorization, pages and responses."""

from __future__ import annotations

from typing import Any

import pytest

from darkroom_pipeline.aws.record import CLAIMED, HELD, REFUSED, REMOVED
from darkroom_pipeline.services import similarity
from tests.component.aws.similar import direction, towards
from tests.component.services.upload.api import token_for

from .api import Deployment, keys

ROME, OSLO = direction(1, 1280), direction(2, 1280)


def test_images_with_a_tag_are_listed_by_key(deployment: Deployment) -> None:
    deployment.image("trips/rome.jpg", tags={"bridge": 0.91, "river": 0.5})
    deployment.image("trips/oslo.jpg", tags={"bridge": 0.8})
    answer = deployment.ask_tagged("Bridge")
    assert answer.headers == {"content-type": "application/json", "cache-control": "no-store"}
    assert answer.document == {
        "tag": "Bridge",
        "results": [{"key": "trips/oslo.jpg", "score": 0.8}, {"key": "trips/rome.jpg", "score": 0.91}],
        "next": None,
    }
    assert keys(deployment.ask_tagged("river")) == ["trips/rome.jpg"]
    assert deployment.ask_tagged("castle").document == {"tag": "castle", "results": [], "next": None}


def test_an_escaped_tag_is_decoded(deployment: Deployment) -> None:
    deployment.image("trips/rome.jpg", tags={"caf\u00e9 50%": 0.9})
    assert keys(deployment.ask_tagged("caf\u00e9 50%25")) == ["trips/rome.jpg"]
    assert keys(deployment.ask_tagged("caf\u00e9 50%")) == ["trips/rome.jpg"]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_pages_have_each_served_image_once(deployment: Deployment, count: int) -> None:
    for number in range(9):
        state = REMOVED if number % 4 == 1 else "ready"
        deployment.image(f"trips/{number}.jpg", tags={"bridge": 0.9}, state=state)
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        answer = deployment.ask_tagged("bridge", count=str(count), after=after)
        page = keys(answer)
        assert len(page) == count or answer.document["next"] is None
        found += page
        after = answer.document["next"]
    assert found == [f"trips/{number}.jpg" for number in (0, 2, 3, 4, 6, 7, 8)]


def test_a_page_examines_a_bounded_number_of_images(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the next one goes on, so that nothing is skipped."""
    monkeypatch.setattr(similarity, "LARGEST_TAGGED_COUNT", 2)
    monkeypatch.setattr(similarity, "MOST_EXAMINED", 4)
    for number in range(6):
        deployment.image(f"trips/{number}.jpg", tags={"bridge": 0.9}, state="ready" if number == 5 else REMOVED)
    answer = deployment.ask_tagged("bridge", count="2")
    assert answer.document == {"tag": "bridge", "results": [], "next": "trips/3.jpg"}
    assert keys(deployment.ask_tagged("bridge", count="2", after="trips/3.jpg")) == ["trips/5.jpg"]


def test_a_token_shows_nothing_outside_of_its_prefix(deployment: Deployment) -> None:
    for key in ("trips/rome.jpg", "secret/rome.jpg", "trips.jpg"):
        deployment.image(key, tags={"bridge": 0.9}, likeness=ROME)
    assert keys(deployment.ask_tagged("bridge")) == ["trips/rome.jpg"]
    assert keys(deployment.ask_tagged("bridge", token_for("trips/rome.jpg"))) == ["trips/rome.jpg"]
    assert keys(deployment.ask_tagged("bridge", token_for("trips/none.jpg"))) == []
    answer = deployment.ask_tagged("bridge", after="secret/")
    assert (answer.status, answer.document["code"]) == (403, "not-granted")
    assert keys(deployment.ask("trips/rome.jpg", basis="likeness")) == []
    assert deployment.ask("secret/rome.jpg", basis="likeness").document["code"] == "not-granted"


def test_no_valid_token(deployment: Deployment) -> None:
    answer = deployment.call({"tag": "bridge"}, None, {})
    assert (answer.status, answer.document["code"]) == (401, "bad-token")


def test_images_that_are_not_served_or_were_replaced_are_not_returned(deployment: Deployment) -> None:
    for state in (REMOVED, HELD, CLAIMED, REFUSED):
        deployment.image(f"trips/{state}.jpg", tags={"bridge": 0.9}, state=state)
    deployment.image("trips/forgotten.jpg", tags={"bridge": 0.9})
    deployment.forget("trips/forgotten.jpg")
    deployment.image("trips/replaced.jpg", tags={"bridge": 0.9}, etag="m2", analysed_etag="m1")
    deployment.image("trips/rome.jpg", tags={"bridge": 0.9})
    assert keys(deployment.ask_tagged("bridge")) == ["trips/rome.jpg"]


@pytest.mark.parametrize(
    ("tag", "query", "option"),
    [
        ("bridge", {"count": "0"}, "count"),
        ("bridge", {"count": "101"}, "count"),
        (" ", {}, "tag"),
        ("x" * 257, {}, "tag"),
        ("\ud800", {}, "tag"),
        ("\u0149" * 128, {}, "tag"),  # 256 bytes, and 384 once its case is folded
        ("bridge", {"after": "trips/" + "x" * 1018}, "after"),
        ("bridge", {"after": "trips/\ud800"}, "after"),
    ],
)
def test_what_is_wrong_is_named(deployment: Deployment, tag: str, query: dict[str, str], option: str) -> None:
    answer = deployment.ask_tagged(tag, **query)
    assert (answer.status, answer.document["code"], answer.document["option"]) == (400, "bad-option", option)


@pytest.mark.parametrize(("mode", "settings"), [("off", {}), ("endpoint", {"tasks": ["faces"]})])
def test_without_the_task_there_is_no_result(deployment: Deployment, mode: str, settings: dict[str, Any]) -> None:
    without = deployment.with_environment(settings, INFERENCE_MODE=mode)
    without.image("trips/rome.jpg")
    assert (without.ask_tagged("bridge").status, without.ask("trips/rome.jpg", basis="likeness").status) == (501, 501)
    without.image("trips/oslo.jpg", tags={"bridge": 1.0})  # of a client, or from before
    assert keys(without.ask_tagged("bridge")) == ["trips/oslo.jpg"]


def test_look_alikes_have_an_index_of_their_own(deployment: Deployment) -> None:
    deployment.image("trips/rome.jpg", direction(1), likeness=ROME)
    deployment.image("trips/kin.jpg", direction(3), likeness=towards(ROME, OSLO, 0.7))
    deployment.image("trips/copy.jpg", direction(1), likeness=towards(ROME, OSLO, 0.1))
    deployment.image("trips/other.jpg", likeness=ROME, model="another/1")
    answer = deployment.ask("trips/rome.jpg", basis="likeness")
    results = answer.document.pop("results")
    assert answer.document == {"key": "trips/rome.jpg", "basis": "likeness", "model": "sscd/1"}
    assert [(one["key"], pytest.approx(one["score"], abs=0.003)) for one in results] == [
        ("trips/kin.jpg", 0.7),
        ("trips/copy.jpg", 0.1),
    ]
    assert keys(deployment.ask("trips/rome.jpg", basis="embedding"))[0] == "trips/copy.jpg"


def test_an_image_that_waits_to_be_analysed(deployment: Deployment) -> None:
    deployment.image("trips/rome.jpg", likeness=ROME, etag="m2", analysed_etag="m1", perceptual_hash="f0" * 8)
    answer = deployment.ask("trips/rome.jpg", basis="likeness")
    assert (answer.status, answer.document["code"]) == (503, "findings-pending")


def test_an_unknown_basis_is_named(deployment: Deployment) -> None:
    answer = deployment.ask("trips/rome.jpg", basis="taste")
    assert (answer.status, answer.document["option"]) == (400, "basis")
    assert "embedding or likeness" in answer.document["detail"]
