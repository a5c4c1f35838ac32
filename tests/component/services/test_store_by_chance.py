"""``store_derivatives = "auto"`` in the handler: what is not stored is answered and purged like what is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from darkroom import VERSION
from darkroom.services.caching import RENDERER, SOURCE_ETAG
from darkroom.services.serve import store_policy
from darkroom.services.serve.store_policy import StorePolicy, load_unit_prices
from darkroom_pipeline.aws.erasures import COMPLETE, DONE, new_erasure_id
from darkroom_pipeline.services.purge.stale_derivatives import purge_message
from tests.images.photographs import jpeg_photo

from .functions import Function, load
from .purge_harness import PurgeEnvironment, lasting

PATH, OTHER, PRESET = "/photo.jpg/_/w-800.webp", "/photo.jpg/_/w-480.webp", "/photo.jpg/_/w-640.webp"
NEVER, ALWAYS = 1 - 2**-48, 0.0
"""The greatest and the least number that can be drawn."""


@pytest.fixture
def env(aws_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> PurgeEnvironment:
    for name, value in aws_environment.items():
        monkeypatch.setenv(name, value)  # credentials are read when they are needed
    found = PurgeEnvironment.build(aws_environment)
    found.master("photo.jpg", jpeg_photo())
    return found


@pytest.fixture
def start(
    env: PurgeEnvironment, aws_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Function]:
    """Start a process with a setting, which draws one number again and again."""

    def begin(stores: bool | str = "auto", drawn: float = NEVER) -> Function:
        def build(*, cdn_reads: bool) -> StorePolicy:
            return StorePolicy(lambda: load_unit_prices("x86_64"), cdn_reads=cdn_reads, draw=lambda: drawn)

        monkeypatch.setattr(store_policy, "build_store_policy", build)
        environment = aws_environment | {"MEDIA_BUCKET": env.media.bucket, "SIGNING_KEYS_ARN": "arn:of:keys"}
        return load("transform", environment, {"store_derivatives": stores})

    return begin


def ask(function: Function, path: str = PATH, **headers: str) -> dict[str, Any]:
    return dict(function.invoke({"rawPath": path, "headers": headers, "requestContext": {"http": {"method": "GET"}}}))


def without_timings(response: Mapping[str, Any]) -> dict[str, Any]:
    headers = {name: value for name, value in response["headers"].items() if name != "server-timing"}
    return {**response, "headers": headers}


def test_an_unstored_response_is_that_of_a_stored_derivative(
    env: PurgeEnvironment, start: Callable[..., Function]
) -> None:
    unstored = ask(start())
    assert unstored["statusCode"] == 200
    assert env.keys() == []
    stored = ask(start(stores=True))
    assert env.keys() == ["derivatives" + PATH]
    read = ask(start())
    assert without_timings(unstored) == without_timings(stored) == without_timings(read)
    assert {"etag", "cache-control", "content-type"} <= unstored["headers"].keys()


def test_the_number_drawn_decides(env: PurgeEnvironment, start: Callable[..., Function]) -> None:
    ask(start(drawn=ALWAYS))
    assert env.keys() == ["derivatives" + PATH]
    found = env.media.head("derivatives" + PATH)
    assert found is not None
    assert found.metadata[RENDERER] == VERSION
    master = env.media.head("masters/photo.jpg")
    assert master is not None
    assert found.metadata[SOURCE_ETAG] == master.etag.strip('"')


def test_a_process_stores_what_it_has_rendered_often(env: PurgeEnvironment, start: Callable[..., Function]) -> None:
    function = start(drawn=0.999)
    answers = []
    while not env.keys():
        answers.append(without_timings(ask(function)))
        assert len(answers) < 50
    assert len(answers) > 1
    assert all(one == answers[0] for one in answers)


def test_presets_and_what_replaces_a_stale_derivative_are_stored(
    env: PurgeEnvironment, start: Callable[..., Function]
) -> None:
    env.derivative("photo.jpg", "w-800.webp", '"of the master before"')
    function = start()
    for path in (PATH, OTHER, PRESET):
        assert ask(function, path)["statusCode"] == 200
    assert env.keys() == ["derivatives" + PRESET, "derivatives" + PATH]


def test_a_viewers_copy_of_an_unstored_derivative_is_current(
    env: PurgeEnvironment, start: Callable[..., Function]
) -> None:
    function = start()
    etag = ask(function)["headers"]["etag"]
    assert ask(function, **{"if-none-match": etag})["statusCode"] == 304
    env.master("photo.jpg", jpeg_photo((600, 400)))
    assert ask(function, **{"if-none-match": etag})["statusCode"] == 200


def test_a_purge_reaches_what_is_stored_and_what_only_the_cdn_has(
    env: PurgeEnvironment, start: Callable[..., Function]
) -> None:
    ask(start(drawn=ALWAYS), PATH)
    ask(start(drawn=NEVER), OTHER)
    assert env.keys() == ["derivatives" + PATH]
    env.media.delete("masters/photo.jpg")
    env.queue.send(purge_message("photo.jpg"))
    assert env.purging().run(env.receive(), lasting) == []
    assert env.keys() == []
    assert env.cdn.invalidations() == [["/photo.jpg/_/*", "/photo.jpg"]]
    assert {ask(start(), path)["statusCode"] for path in (PATH, OTHER)} == {404}


def test_an_erasure_of_what_only_the_cdn_has_is_complete(env: PurgeEnvironment, start: Callable[..., Function]) -> None:
    ask(start(), PATH)
    env.media.delete("masters/photo.jpg")
    erasure = new_erasure_id(1_800_000_000.0)
    env.erasures.begin("photo.jpg", erasure)
    assert env.erasures.set_stored("photo.jpg", erasure, DONE)
    env.queue.send(purge_message("photo.jpg", erasure=erasure))
    for _ in range(4):  # two passes, then confirmations
        records = env.receive()
        env.done(records, env.purging().run(records, lasting))
        env.cdn.let_go(2)
    found = env.erasures.get("photo.jpg")
    assert found is not None
    assert found.status == COMPLETE
    assert env.cdn.invalidations() == [["/photo.jpg/_/*", "/photo.jpg"]] * 2
    assert (env.keys(), ask(start(), PATH)["statusCode"]) == ([], 404)
