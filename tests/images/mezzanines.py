"""A photograph with mezzanines, and its mezzanines as ingest stores them."""

from __future__ import annotations

import io
from functools import cache

from darkroom.aws.s3_fast import FastBucket
from darkroom.image_keys import MASTERS, mezzanine_name
from darkroom.imaging.render.output import MezzanineOf
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.services.caching import describe_mezzanine
from darkroom_pipeline.imaging.render_many import decode_once
from tests.images.photographs import photograph

SIZE = (2880, 1920)


@cache
def large_photo() -> bytes:
    """A JPEG with two mezzanines."""
    out = io.BytesIO()
    photograph().resize(SIZE).save(out, "JPEG", quality=95)
    return out.getvalue()


@cache
def make_mezzanines(master: bytes) -> dict[MezzanineOf, bytes]:
    """The mezzanines of ``master``, the smaller one first."""
    batch = decode_once(Source.from_bytes(master), [], limits=Limits(), mezzanines=True)
    return {of: image.body for of, image in batch.render_all() if isinstance(of, MezzanineOf)}


def put_photo(
    bucket: FastBucket,
    key: str,
    body: bytes | None = None,
    *,
    master: bytes | None = None,
    rights: str = "",
    **metadata: str,
) -> str:
    """Store the photograph and its mezzanines, with ``body`` as theirs, and other ``metadata``.

    ``master``: the photograph with metadata of its own. ``rights``: in the metadata of its object. Returns the master's
    entity tag.
    """
    attributes = {"Content-Type": "image/jpeg"} | ({"rights": rights} if rights else {})
    etag = bucket.put(MASTERS.name(key), master or large_photo(), attributes)
    for of, made in make_mezzanines(large_photo()).items():
        headers, own = describe_mezzanine(of, etag)
        content = made if body is None else body
        changed = {name.replace("_", "-"): text for name, text in metadata.items()}
        bucket.put(mezzanine_name(key, of.side_px), content, headers | own | changed)
    return etag
