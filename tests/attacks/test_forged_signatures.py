"""Forged URLs against every secret document that is wrong, through the edge functions and the services.

Keys are tried that an attacker could guess, and those that a careless reader would make of the document. A document
that follows the schema refuses them (403); one that does not refuses every signature (503). None is served, none is a
500.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from obstore.store import MemoryStore

from darkroom.aws.s3_fast import FastBucket
from darkroom.errors import KeysInvalid
from darkroom.signing import InvalidSecret, parse_secret
from darkroom_dialects.registry import DIALECTS_BY_NAME
from darkroom_dialects.serving.signing_keys import DIALECTS_WITH_KEYS, KeysByDialect, parse_keys
from tests.images.photographs import jpeg_photo
from tests.tally import Tally
from tests.unit.test_signing_secrets import KEY, NOT_OBJECTS, REJECTED, SALT, STRONG, forged, guesses
from tests.unsigned_urls import Sent

from .deployment import Deployment

pytestmark = [pytest.mark.slow, pytest.mark.never_skips]

VALID: dict[str, Any] = {
    "one key of each": {
        "imgproxy": [{"key": KEY, "salt": SALT}],
        "thumbor": [STRONG],
        "dit": [STRONG],
        "imgix": [STRONG],
        "cloudinary": [STRONG],
    },
    "no keys": {},
    "an empty list": {"thumbor": []},
}
TEXTS = [json.dumps(document) for document in (*REJECTED.values(), *VALID.values())] + list(NOT_OBJECTS)


@dataclass
class Secret:
    """The secret as functions read it, without Secrets Manager."""

    text: str

    def get(self, *, refresh: bool = False) -> KeysByDialect:
        try:
            return parse_keys(parse_secret(self.text))
        except InvalidSecret:
            raise KeysInvalid from None


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    bucket = FastBucket(MemoryStore())
    bucket.put("masters/photo.jpg", jpeg_photo(), {})
    found = Deployment.of(bucket)
    yield found
    found.close()


def forgeries(text: str) -> Iterator[Sent]:
    """Signed URLs in each dialect, whose keys are not among those of the document."""
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        document = text[:64]
    try:
        known = parse_keys(parse_secret(text))
    except InvalidSecret:
        known = {}
    for dialect in DIALECTS_WITH_KEYS:
        tried: Sequence[bytes] = sorted(guesses(document, {key.key for key in known.get(dialect, ())}))
        for guess in tried:
            for target in forged(dialect, guess, {b"", *tried[:8]}):
                yield Sent(dialect, DIALECTS_BY_NAME[dialect].prefix + target)


def test_no_forged_url_is_served_whatever_the_secret_holds(deployment: Deployment, tally: Tally) -> None:
    dialects = deployment.stack.dialects
    for text in TEXTS:
        secret = Secret(text)
        object.__setattr__(dialects, "keys", secret)
        try:
            secret.get()
            expected = {403}
        except KeysInvalid:
            expected = {503}
        for sent in forgeries(text):
            tally.add("requests")
            assert deployment.send(sent) in expected, (text[:80], sent.target)
    assert deployment.statuses.keys() == {403, 503}
