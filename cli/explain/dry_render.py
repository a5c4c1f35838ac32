"""Run the transform service without rendering: what it answers, by its own checks, from what is stored.

Nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from darkroom.aws.s3_fast import FastBucket, StoredObject
from darkroom.plan.geometry.placement import Size
from darkroom.plan.geometry.redaction_mask import compute_outlines
from darkroom.services.serve.answers import Answer, Derivative, Rendered
from darkroom.services.serve.rendering import Renderer, RenderJob
from darkroom_pipeline.aws.s3 import S3Bucket

_ANY_SIZE = Size(1000, 1000)
"""Of an image whose redaction is checked for missing findings alone."""


class ReadOnlyBucket(FastBucket):
    """Opens objects of ``bucket``, which has the credentials of the command. A body is requested when it is read."""

    def __init__(self, bucket: S3Bucket) -> None:
        self._bucket = bucket

    def open(self, key: str, first_bytes: int = 0) -> StoredObject | None:  # noqa: ARG002 - nothing is requested yet
        """Open ``key``; None if it is missing. Raises Unavailable, also without permission."""
        head = self._bucket.head(key)
        if head is None:
            return None
        return StoredObject(head.etag, head.size_bytes, {**head.headers, **head.metadata}, self._read_body(key))

    def _read_body(self, key: str) -> Iterator[bytes]:
        yield self._bucket.read(key) or b""


@dataclass(frozen=True)
class FixedKeys[Keys]:
    """Signing keys that were read before, as a KeySource."""

    keys: Keys

    def get(self, *, refresh: bool = False) -> Keys:  # noqa: ARG002
        """Return the keys."""
        return self.keys


def answer_unrendered(_: Renderer, job: RenderJob) -> Answer:
    """Return an empty image for ``job``, in place of :meth:`Renderer.render`.

    Raises what rendering raises for missing files of watermarks and for findings that a redaction lacks: BadOption,
    FindingsPending, NoInference, Unanalysable, Unavailable. What only the pixels show is not known.
    """
    for file in job.watermarks.values():
        file.result()
    compute_outlines(job.plan, job.findings, _ANY_SIZE)
    return Rendered(Derivative("", {"Content-Type": ""}), b"")
