"""The size of a picture before anything is planned, from the first bytes of the master that is rendered from after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from ....aws.s3_fast import StoredObject
from ....errors import SourceMissing
from ....plan.geometry.boxes import Size
from ....services.serve.transform import Transform


class ReplayableStream(Iterator[bytes]):
    """``chunks``, of which those that were taken are kept, so that a stream need not be asked for twice."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._taken: list[bytes] = []

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        self._taken.append(chunk)
        return chunk

    def close(self) -> None:
        """End the stream, if it can be ended: no more comes of it."""
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()

    def replay(self) -> Iterator[bytes]:
        """All chunks from the first one on."""
        return chain(self._taken, self._chunks)


def open_master(transform: Transform, key: str) -> tuple[StoredObject, Size]:
    """The master of ``key``, to be rendered from, and the size in px of the upright picture in it.

    Raises SourceMissing, Unavailable, or what :func:`darkroom.imaging.formats.probe.probe` raises.
    """
    from ....imaging.formats.probe import probe

    name = transform.source_names.name(key)
    master = transform.open_master(key)
    if master is None:
        raise SourceMissing
    stream = ReplayableStream(master.chunks)
    with transform.master_reader.source(transform.source, name, replace(master, chunks=stream)) as source:
        header = probe(source, transform.limits, animated=False, partial=True)
    return replace(master, chunks=stream.replay()), Size(header.upright_width, header.upright_height)
