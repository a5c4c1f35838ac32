"""Mezzanines that ingest stores: once, of the current master, and deleted with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from darkroom.imaging.formats.image_format import Header
from darkroom.plan.forced_options import ForcedOptions
from darkroom_pipeline.services.ingest.context import IngestOutcome
from tests.images.mezzanines import SIZE, large_photo, make_mezzanines
from tests.images.photographs import jpeg_photo

from .ingest_environment import IngestEnvironment

KEY = "photo.jpg"


@pytest.fixture
def env(aws: Callable[[str], Any]) -> IngestEnvironment:
    env = IngestEnvironment.build(aws)
    env.mezzanines = True
    return env


def mezzanines(env: IngestEnvironment, key: str = KEY) -> dict[str, str]:
    """The entity tags of masters by the mezzanines' names."""
    names = [name for name in env.keys("media", f"derivatives/{key}/_/") if "/mezzanine-" in name]
    heads = {name: env.vault("media").head(name) for name in names}
    return {name.rpartition("/")[2]: head.metadata["source-etag"] for name, head in heads.items() if head is not None}


def of_master(env: IngestEnvironment, key: str = KEY) -> dict[str, str]:
    """Both mezzanines, with the current master's entity tag."""
    return dict.fromkeys(("mezzanine-1280.jpg", "mezzanine-1920.jpg"), env.record(key).master.bare_etag)


def test_an_upload_gets_both(env: IngestEnvironment) -> None:
    assert env.created(KEY, large_photo()) is IngestOutcome.READY
    assert mezzanines(env) == of_master(env)
    assert not [name for name in env.record(KEY).derivatives if "mezzanine" in name], "they are not presets"
    for of, body in make_mezzanines(large_photo()).items():
        name = f"derivatives/{KEY}/_/mezzanine-{of.side_px}.jpg"
        head = env.vault("media").head(name)
        assert head is not None
        assert head.headers["Content-Type"] == "image/jpeg"
        assert Header.parse(head.metadata["master-header"]) == Header("jpeg", *SIZE)
        assert env.body("media", name) == body


@pytest.mark.slow
def test_the_same_event_again_changes_nothing(env: IngestEnvironment) -> None:
    env.created(KEY, large_photo())
    before = mezzanines(env)
    env.created(KEY, large_photo())
    assert mezzanines(env) == before == of_master(env)


@pytest.mark.slow
def test_another_upload_replaces_them(env: IngestEnvironment) -> None:
    env.created(KEY, large_photo())
    env.created(KEY, jpeg_photo())
    assert mezzanines(env) == {}
    env.created(KEY, large_photo())
    assert mezzanines(env) == of_master(env)


@pytest.mark.slow
def test_they_are_deleted_with_the_image(env: IngestEnvironment) -> None:
    env.created(KEY, large_photo())
    env.deleted(KEY)
    assert env.keys("media", "derivatives/") == []


@pytest.mark.slow
def test_a_duplicate_gets_copies(env: IngestEnvironment) -> None:
    env.created(KEY, large_photo())
    assert env.created("two.jpg", large_photo()) is IngestOutcome.DUPLICATE
    assert mezzanines(env, "two.jpg") == of_master(env, "two.jpg")
    for name in mezzanines(env):
        assert env.body("media", f"derivatives/two.jpg/_/{name}") == env.body("media", f"derivatives/{KEY}/_/{name}")


@pytest.mark.slow
def test_a_duplicate_of_an_image_without_one_has_none(env: IngestEnvironment) -> None:
    env.mezzanines = False
    env.created(KEY, large_photo())
    assert mezzanines(env) == {}
    env.mezzanines = True
    assert env.created("two.jpg", large_photo()) is IngestOutcome.DUPLICATE
    assert mezzanines(env, "two.jpg") == {}


def test_an_image_that_is_always_redacted_has_none(env: IngestEnvironment) -> None:
    env.always = ForcedOptions.parse("people/=faces")
    env.created("people/a.jpg", large_photo())
    assert mezzanines(env, "people/a.jpg") == {}


@pytest.mark.slow
def test_a_held_image_gets_them_when_it_is_released(env: IngestEnvironment) -> None:
    env.blocks = True
    assert env.created(KEY, large_photo()) is IngestOutcome.HELD
    assert env.keys("media", "derivatives/") == []
    env.released(KEY)
    assert mezzanines(env) == of_master(env)
