"""Read the reviewed images of a deployment, with the embeddings of the model that a head is trained for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from darkroom.errors import DarkroomError
from darkroom.findings import LIKENESS, TAGS
from darkroom.image_keys import HELD_MASTERS, ObjectNames
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_analysis.inference.views import prepare_jpeg
from darkroom_analysis.mlops.manifests import TEST, split_of, upload_digest
from darkroom_analysis.models.catalogue import ModelCatalogue
from darkroom_analysis.models.model_set import ModelSet
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.record import HELD, READY, Record
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.vectors import VectorStore
from darkroom_pipeline.imaging.views import read_rgb

from .dataset import Example
from .reviews import ReviewedImage


@dataclass
class Reading:
    """Examples, and the keys of reviewed images that are not among them, by the reason."""

    examples: list[Example] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    computed: int = 0


class Embedder:
    """Computes embeddings with the model of ``catalogue`` in ``models``. Raises ModelUnavailable."""

    def __init__(self, catalogue: ModelCatalogue, models: Path) -> None:
        spec = catalogue.get(LIKENESS)
        self.model = f"{spec.name}/{spec.version}"
        self._models = ModelSet(catalogue, models, (TAGS, LIKENESS))

    def embed(self, jpeg: bytes) -> tuple[float, ...]:
        """Return the embedding of an image that is prepared as by infer."""
        return self._models.detect(read_rgb(jpeg), (LIKENESS,))[LIKENESS].vector


@dataclass(frozen=True)
class ExampleReader:
    """Reads reviewed images. ``vectors`` are stored embeddings, None if all are computed."""

    index: Index
    masters: S3Bucket
    names: ObjectNames
    media: S3Bucket
    vectors: VectorStore | None
    embedder: Embedder

    def read(self, images: Sequence[ReviewedImage]) -> Reading:
        """Read the examples of ``images``, in their order. Raises Unavailable, ModelUnavailable."""
        records = self.index.get_many([image.key for image in images])
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = list(pool.map(lambda image: self._read(image, records.get(image.key)), images))
        reading = Reading()
        for image, (example, reason, is_computed) in zip(images, found, strict=True):
            if example is None:
                reading.left_out.setdefault(reason, []).append(image.key)
            else:
                reading.examples.append(example)
                reading.computed += is_computed
        return reading

    def _read(self, image: ReviewedImage, record: Record | None) -> tuple[Example | None, str, bool]:
        """Return the example, or None and the reason; and whether its embedding was computed."""
        if record is None or record.state not in (READY, HELD):
            return None, "no longer stored", False
        digest = upload_digest(record)
        if image.sha256 and digest != image.sha256:
            return None, "replaced after the review", False
        if vector := self._stored(record):
            is_computed = False
        else:
            is_computed, vector = True, self._compute(record)
        if not vector:
            return None, "not readable", False
        digest = digest or sha256(image.key.encode()).hexdigest()
        is_test = split_of(record) == TEST
        return Example(image.key, digest, image.tags, is_test, vector, image.origin), "", is_computed

    def _stored(self, record: Record) -> Sequence[float]:
        known = self.vectors.get(record.key) if self.vectors and record.state == READY else None
        is_current = known is not None and known.source_etag == record.master.bare_etag
        return known.vector if known and is_current and known.model == self.embedder.model else ()

    def _compute(self, record: Record) -> Sequence[float]:
        """Return the embedding of the master, empty if there is none, or if it cannot be decoded."""
        held = record.state == HELD
        bucket, name = (
            (self.media, HELD_MASTERS.name(record.key)) if held else (self.masters, self.names.name(record.key))
        )
        opened = bucket.open(name)
        if opened is None:
            return ()
        with opened.body as body:
            try:
                jpeg = prepare_jpeg(Source.from_stream(iter(body), opened.head.size_bytes), Limits())
            except DarkroomError as error:
                if error.status >= 500 or error.retryable:
                    raise
                return ()
        return self.embedder.embed(jpeg)
