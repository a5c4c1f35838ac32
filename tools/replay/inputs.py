"""The pictures that are replayed: masters, as models get to see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from darkroom.aws.samples import Samples
from darkroom.aws.vault import Vault
from darkroom.errors import DarkroomError
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.services.infer.prepare import prepared

MASTERS = "masters/"


def sampled(samples: Samples) -> list[str]:
    """The keys of which samples are kept, each once, the newest first; raises Unavailable."""
    recent = sorted(samples.recent(), key=lambda sample: sample.at_s, reverse=True)
    return list(dict.fromkeys(sample.key for sample in recent))


def below(media: Vault, prefix: str) -> Iterator[str]:
    """The keys of all masters that start with ``prefix``; raises Unavailable."""
    for page in media.pages(MASTERS + prefix):
        yield from (one.key.removeprefix(MASTERS) for one in page if not one.key.endswith("/"))


def pictures(media: Vault, keys: Iterable[str]) -> Iterator[bytes]:
    """A JPEG of each master, as infer sends it. Those that are gone or cannot be decoded are left out.

    Raises Unavailable.
    """
    for key in keys:
        opened = media.open(MASTERS + key)
        if opened is None:
            continue
        with opened.body as body:
            try:
                yield prepared(Source.streamed(iter(body), opened.kept.size_bytes), Limits())
            except DarkroomError as error:
                if error.status >= 500 or error.retryable:
                    raise
