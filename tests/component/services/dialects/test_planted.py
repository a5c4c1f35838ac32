"""Masters that were placed by hand: no private metadata is returned."""

from __future__ import annotations

import hashlib
from base64 import b64decode

import pytest
from obstore.store import MemoryStore

from darkroom.aws.s3_fast import FastBucket
from darkroom.imaging.formats.probe import probe
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.variants import AccessMode
from darkroom.services.caching import MASTER_SHA256
from darkroom_pipeline.imaging.master import make_master
from tests.images.planted import planted

from .serving import Served, served

MARKER = b"secret"
PASSING = ("raw:1", "skp:jpg:png:webp:gif:avif:tiff:svg:heic")
"""Options of imgproxy that return a source as it is."""


def stored(name: str, metadata: dict[str, str]) -> Served:
    """A deployment whose master ``planted()[name]`` has ``metadata``."""
    bucket = FastBucket(MemoryStore())
    bucket.put("masters/photo", planted()[name], {"Content-Type": "image/jpeg", **metadata})
    return served(bucket, AccessMode.OPEN)


@pytest.mark.parametrize("name", planted())
@pytest.mark.parametrize("passing", PASSING)
def test_a_master_placed_by_hand_is_cleaned_or_rendered(name: str, passing: str) -> None:
    assert MARKER in planted()[name] or "pages" in name
    response = stored(name, {}).get(f"/imgproxy/unsafe/{passing}/plain/photo")
    body = b64decode(str(response["body"]))
    assert response["statusCode"] == 200, body
    assert MARKER not in body
    assert body != planted()[name]


COPIED = {
    "of another object": hashlib.sha256(planted()["png"]).hexdigest(),
    "of nothing": hashlib.sha256(b"").hexdigest(),
    "that is no digest": "1",
}


@pytest.mark.parametrize("digest_of", COPIED.values(), ids=COPIED)
def test_metadata_of_other_bytes_is_not_believed(digest_of: str) -> None:
    marks = {"sequencer": "00", "how": "cleaned", MASTER_SHA256: digest_of}
    response = stored("jpeg", marks).get("/imgproxy/unsafe/raw:1/plain/photo")
    assert MARKER not in b64decode(str(response["body"]))


@pytest.mark.parametrize("name", planted())
def test_a_master_of_ingest_is_returned_as_it_is(name: str) -> None:
    upload = planted()[name]
    master = make_master(upload, probe(Source.from_bytes(upload), Limits()), limits=Limits())
    bucket = FastBucket(MemoryStore())
    bucket.put(
        "masters/photo",
        master.body,
        {"Content-Type": master.content_type, MASTER_SHA256: hashlib.sha256(master.body).hexdigest()},
    )
    response = served(bucket, AccessMode.OPEN).get("/imgproxy/unsafe/raw:1/plain/photo")
    assert b64decode(str(response["body"])) == master.body
    assert MARKER not in master.body
