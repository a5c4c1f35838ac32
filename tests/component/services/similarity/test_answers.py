"""The similarity API: authorization and responses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from darkroom_pipeline.aws.record import CLAIMED, HELD, REFUSED, REMOVED
from tests.component.aws.similar import direction, towards
from tests.component.services.upload.api import token_for

from .api import Deployment, keys

ROME, OSLO = direction(1), direction(2)
HASH, NEAR_HASH, FAR_HASH = "f0f0f0f0f0f0f0f0", "f0f0f0f0f0f0f0ff", "0f0f0f0f0f0f0f0f"


def test_the_nearest_are_returned_with_scores(deployment: Deployment) -> None:
    deployment.image("trips/rome.jpg", ROME, perceptual_hash=HASH)
    deployment.image("trips/crop.jpg", towards(ROME, OSLO, 0.8), perceptual_hash=FAR_HASH)
    deployment.image("trips/kin.jpg", towards(ROME, OSLO, 0.6), perceptual_hash=NEAR_HASH)
    deployment.image("trips/other.jpg", towards(ROME, OSLO, 0.0))
    answer = deployment.ask("trips/rome.jpg")
    assert answer.headers == {"content-type": "application/json", "cache-control": "no-store"}
    results = answer.document.pop("results")
    assert answer.document == {"key": "trips/rome.jpg", "basis": "embedding", "model": "sscd/1"}
    assert [result.pop("score") for result in results] == pytest.approx([0.8, 0.6, 0.0], abs=0.003)
    assert results == [
        {"key": "trips/crop.jpg", "perceptual_distance": 64, "copy": True},
        {"key": "trips/kin.jpg", "perceptual_distance": 4, "copy": False},
        {"key": "trips/other.jpg", "perceptual_distance": None, "copy": False},
    ]


def test_no_more_results_than_requested(deployment: Deployment) -> None:
    for number in range(14):
        deployment.image(f"trips/{number}.jpg", towards(ROME, OSLO, 1 - number / 100))
    assert keys(deployment.ask("trips/0.jpg")) == [f"trips/{number}.jpg" for number in range(1, 11)]
    assert keys(deployment.ask("trips/0.jpg", count="2")) == ["trips/1.jpg", "trips/2.jpg"]
    assert len(keys(deployment.ask("trips/0.jpg", count="50"))) == 13


@pytest.mark.parametrize("count", ["0", "51", "-1", "1.5", "ten", "00019999", "١", " 5"])
def test_a_wrong_count_is_named(deployment: Deployment, count: str) -> None:
    answer = deployment.ask("trips/rome.jpg", count=count)
    assert (answer.status, answer.document["code"], answer.document["option"]) == (400, "bad-option", "count")
    assert "1 to 50" in answer.document["detail"]


@pytest.mark.parametrize(
    "authorization",
    [None, "Bearer x", f"Bearer {token_for('trips/', lasts_s=-1)}"],
    ids=["none", "nonsense", "over"],  # a token's text would be another name in each process of the suite
)
def test_no_valid_token(deployment: Deployment, authorization: str | None) -> None:
    answer = deployment.call({"key": "trips/rome.jpg"}, authorization, {})
    assert (answer.status, answer.document["code"]) == (401, "bad-token")


def test_a_token_shows_nothing_outside_of_its_prefix(deployment: Deployment) -> None:
    deployment.image("trips/rome.jpg", ROME, perceptual_hash=HASH)
    deployment.image("secret/rome.jpg", ROME, perceptual_hash=HASH)
    assert keys(deployment.ask("trips/rome.jpg")) == []
    answer = deployment.ask("secret/rome.jpg")
    assert (answer.status, answer.document["code"]) == (403, "not-granted")
    assert deployment.ask("secret/none.jpg").status == 403
    assert keys(deployment.ask("trips/rome.jpg", token_for("trips/rome.jpg"))) == []


def test_an_image_that_is_no_longer_served_is_not_returned(deployment: Deployment) -> None:
    """An embedding is deleted a little later than its image."""
    deployment.image("trips/rome.jpg", ROME)
    for number, state in enumerate([REMOVED, HELD, CLAIMED, REFUSED]):
        deployment.image(f"trips/{number}.jpg", ROME, state=state)
    deployment.image("trips/forgotten.jpg", ROME)
    deployment.forget("trips/forgotten.jpg")
    deployment.image("trips/far.jpg", OSLO)
    assert keys(deployment.ask("trips/rome.jpg", count="1")) == ["trips/far.jpg"]


@pytest.mark.parametrize(
    ("state", "status", "code"),
    [(REMOVED, 404, "no-source"), (HELD, 404, "no-source"), (REFUSED, 404, "no-source"), (CLAIMED, 503, "busy")],
)
def test_an_image_that_is_not_served(deployment: Deployment, state: str, status: int, code: str) -> None:
    deployment.image("trips/rome.jpg", ROME, state=state)
    answer = deployment.ask("trips/rome.jpg")
    assert (answer.status, answer.document["code"]) == (status, code)


def test_an_unknown_image(deployment: Deployment) -> None:
    answer = deployment.ask("trips/none.jpg")
    assert (answer.status, answer.document["code"]) == (404, "not-ingested")
    assert deployment.ask("trips/../secret.jpg").document["code"] == "bad-key"


def test_hashes_answer_until_there_is_an_embedding(deployment: Deployment) -> None:
    deployment.image("trips/rome.jpg", perceptual_hash=HASH)
    deployment.image("trips/near.jpg", ROME, perceptual_hash=NEAR_HASH)
    deployment.image("trips/far.jpg", perceptual_hash=FAR_HASH)
    deployment.image("secret/near.jpg", perceptual_hash=HASH)
    assert deployment.ask("trips/rome.jpg").document == {
        "key": "trips/rome.jpg",
        "basis": "perceptual-hash",
        "results": [
            {"key": "trips/near.jpg", "score": 0.9375, "perceptual_distance": 4, "copy": True},
            {"key": "trips/far.jpg", "score": 0.0, "perceptual_distance": 64, "copy": False},
        ],
    }


def test_an_embedding_of_an_earlier_master_is_ignored(deployment: Deployment) -> None:
    deployment.image("trips/rome.jpg", ROME, perceptual_hash=HASH, etag="m2", analysed_etag="m1")
    assert deployment.ask("trips/rome.jpg").document["basis"] == "perceptual-hash"


def test_an_image_without_embedding_and_hash_waits_to_be_analysed(deployment: Deployment) -> None:
    deployment.image("trips/rome.jpg")
    answer = deployment.ask("trips/rome.jpg")
    assert (answer.status, answer.document["code"]) == (503, "findings-pending")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(("mode", "settings"), [("off", {}), ("endpoint", {"tasks": ["faces", "text"]})])
def test_without_embeddings_the_request_fails_unless_hashes_suffice(
    deployment: Deployment, mode: str, settings: dict[str, Any]
) -> None:
    without = deployment.with_environment(settings, INFERENCE_MODE=mode)
    without.image("trips/rome.jpg", perceptual_hash=HASH)
    answer = without.ask("trips/rome.jpg")
    assert (answer.status, answer.document["code"]) == (501, "no-inference")
    assert "retry-after" not in answer.headers
    without.image("trips/none.jpg")
    assert without.ask("trips/none.jpg").status == 501
    without.image("trips/near.jpg", perceptual_hash=NEAR_HASH)
    assert keys(without.ask("trips/rome.jpg")) == ["trips/near.jpg"]


def test_embeddings_of_another_model_are_no_answer(deployment: Deployment) -> None:
    deployment.image("trips/rome.jpg", ROME)
    deployment.image("trips/small.jpg", ROME, model="sscd-small/1")
    assert keys(deployment.ask("trips/rome.jpg")) == []


def test_a_store_that_does_not_answer(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    deployment.image("trips/rome.jpg", ROME)
    answer = deployment.with_environment(VECTOR_TABLE="gone").ask("trips/rome.jpg")
    assert (answer.status, answer.document["code"]) == (503, "unavailable")
    assert "gone" not in json.dumps(answer.document)
    assert "ResourceNotFoundException" in capsys.readouterr().out


def test_a_defect_is_a_problem_too(deployment: Deployment) -> None:
    made = deployment.function.invoke({"routeKey": "GET /_similar/{key+}", "headers": None})
    assert (made["statusCode"], json.loads(made["body"])["code"]) == (500, "internal")


def test_tokens_stay_out_of_the_logs(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    token = token_for("trips/")
    deployment.ask("trips/rome.jpg", token)
    assert token.partition(".")[2] not in capsys.readouterr().out
