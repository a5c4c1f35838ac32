"""Names of objects and invalidations: of one alphabet, and within the limits of S3 and CloudFront."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

from darkroom.environment import MasterEnvironment
from darkroom.errors import BadKey
from darkroom.image_keys import (
    DERIVATIVES,
    HELD_MASTERS,
    LARGE_SUFFIX,
    MASTERS,
    UPLOADS,
    ObjectNames,
    derivatives_prefix,
    encode_key,
    master_names,
)
from darkroom.plan.canonical import canonical_path
from darkroom.plan.model import Plan
from darkroom.services.serve.negative_cache import marker_key
from darkroom_dialects.registry import iiif_wildcard
from darkroom_pipeline.aws.findings_store import sidecar_name
from darkroom_pipeline.aws.record import SEQUENCER_CHARACTERS
from darkroom_pipeline.services.ingest.quarantine import quarantine_key
from darkroom_pipeline.services.purge.consumer import cdn_paths
from tests.odd_keys import odd_keys

from .extended_plans import extended_plans
from .plans import KEYS, plans

MAX_NAME_BYTES = 1_024
"""Of an object, by AWS ("Naming Amazon S3 objects")."""

MAX_PATH_CHARACTERS = 4_000
"""Of an invalidation path, by AWS ("Specify the files to invalidate")."""


SOURCE_PREFIX = "m" * 39 + "/"
"""As long as the template's parameter may be."""


def names_of(key: str) -> list[str]:
    """Every name of an object that is made of ``key``, by the longest other parts."""
    return [
        MASTERS.name(key),
        HELD_MASTERS.name(key),
        ObjectNames(SOURCE_PREFIX).name(key),
        sidecar_name("g" * 8, key),
        marker_key(DERIVATIVES, key),
        derivatives_prefix(key) + "s" * 43 + LARGE_SUFFIX,
        quarantine_key(key, "0" * SEQUENCER_CHARACTERS),
    ]


def check_names(key: str) -> None:
    for name in names_of(key):
        assert re.fullmatch(r"[A-Za-z0-9/._-]+", name)
        assert len(name) <= MAX_NAME_BYTES
    for names in (MASTERS, HELD_MASTERS, UPLOADS):
        assert names.key(names.name(key)) == key


def test_objects_of_odd_keys() -> None:
    for key in odd_keys():
        check_names(key)


@given(key=KEYS)
def test_objects_of_any_key(key: str) -> None:
    check_names(key)


@given(one=KEYS, other=KEYS)
def test_names_are_below_the_names_of_their_prefixes(one: str, other: str) -> None:
    assert MASTERS.name(f"{one}/{other}").startswith(MASTERS.name(one))
    assert (quarantine_key(one, "0") == quarantine_key(other, "0")) == (one == other)


@pytest.mark.parametrize("name", ["masters/é.jpg", "masters/a b", "masters/a.-b"])
def test_a_name_that_no_key_has(name: str) -> None:
    with pytest.raises(BadKey):
        MASTERS.key(name)


def test_the_names_of_a_bucket_of_the_owner_are_keys_as_they_are() -> None:
    names = master_names(
        MasterEnvironment({"MEDIA_BUCKET": "media", "SOURCE_BUCKET": "photos", "SOURCE_PREFIX": "old/"})
    )
    assert (names.name("é b.jpg"), names.key("old/é b.jpg")) == ("old/é b.jpg", "é b.jpg")
    for own in ({}, {"SOURCE_BUCKET": ""}, {"SOURCE_BUCKET": "media"}):
        assert master_names(MasterEnvironment({"MEDIA_BUCKET": "media", **own})) == MASTERS


def check_paths(key: str) -> None:
    paths = cdn_paths(key, [iiif_wildcard])
    assert paths[:2] == [f"/{encode_key(key)}/_/*", f"/{encode_key(key)}"]
    for path in paths:
        assert re.fullmatch(r"/[A-Za-z0-9/._-]*\*?", path)
        assert len(path) <= MAX_PATH_CHARACTERS


def test_invalidations_of_odd_keys() -> None:
    for key in odd_keys():
        check_paths(key)


@given(key=KEYS)
def test_invalidations_of_any_key(key: str) -> None:
    check_paths(key)


@pytest.mark.parametrize("key", ["!" * 1024, "é" * 512, "x" * 701, "a/_/b.jpg", "/a", "a//b", "."])
def test_a_key_that_is_never_served_needs_no_invalidation(key: str) -> None:
    assert cdn_paths(key, [iiif_wildcard]) == []


@given(plan=plans() | extended_plans())
def test_an_invalidation_covers_the_canonical_path(plan: Plan) -> None:
    wildcard, *_ = cdn_paths(plan.key)
    assert canonical_path(plan).startswith(wildcard.removesuffix("*"))
