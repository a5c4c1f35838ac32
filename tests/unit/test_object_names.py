"""Names of objects and invalidations: of one alphabet, and within the limits of S3 and CloudFront."""

from __future__ import annotations

import re

from hypothesis import given

from darkroom.plan.canonical import canonical_path
from darkroom.plan.keys import encode_key
from darkroom.plan.model import Plan
from darkroom.services.purging import invalidated_paths
from tests.odd_keys import odd_keys

from .borrowed_plans import borrowed_plans
from .plans import KEYS, plans

MAX_PATH_CHARACTERS = 4_000
"""Of an invalidation path, by AWS ("Specify the files to invalidate")."""


def check_paths(key: str) -> None:
    paths = invalidated_paths(key, iiif=True)
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


@given(plan=plans() | borrowed_plans())
def test_an_invalidation_covers_the_canonical_path(plan: Plan) -> None:
    wildcard, *_ = invalidated_paths(plan.key)
    assert canonical_path(plan).startswith(wildcard.removesuffix("*"))
