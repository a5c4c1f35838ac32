"""The shape of a thumbor path: which of its parts are there. What they mean is in :mod:`.parts` and :mod:`.filters`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SHAPE = re.compile(
    r"/?(?:(?P<debug>debug)/)?"
    r"(?:(?P<meta>meta)/)?"
    r"(?:(?P<trim>trim(?::(?:top-left|bottom-right))?(?::[0-9]+)?)/)?"
    r"(?:(?P<crop>[0-9]+x[0-9]+:[0-9]+x[0-9]+)/)?"
    r"(?:(?P<fit>(?:adaptive-)?(?:full-)?fit-in)/)?"
    r"(?:(?P<size>-?(?:[0-9]+|orig)?x-?(?:[0-9]+|orig)?)/)?"
    r"(?:(?P<halign>left|right|center)/)?"
    r"(?:(?P<valign>top|bottom|middle)/)?"
    r"(?:(?P<smart>smart)/)?"
    r"(?:filters:(?P<filters>.+?\))/)?"
    r"(?P<image>.+)",
    re.DOTALL,
)
"""The pattern of ``libthumbor.url.Url`` 2.0.2, after the signature. All parts but the image may be missing."""

_SIGNED = re.compile(r"/?(?P<signature>[^/]+)/(?P<rest>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PathSegments:
    """The parts as they are spelled, "" where there is none; ``filters`` without its name."""

    debug: str
    meta: str
    trim: str
    crop: str
    fit: str
    size: str
    halign: str
    valign: str
    smart: str
    filters: str
    image: str

    def named(self) -> Iterator[tuple[str, str]]:
        """Each part before the filters that is there, by its name."""
        for name in ("debug", "meta", "trim", "crop", "fit", "size", "halign", "valign", "smart"):
            if text := getattr(self, name):
                yield name, text


def split_signature(path: str) -> tuple[str, str] | None:
    """The first segment of ``path`` and what follows it, neither decoded; None where there are not two of them."""
    match = _SIGNED.fullmatch(path)
    return (match["signature"], match["rest"]) if match else None


def split_path(path: str) -> PathSegments:
    """The parts of ``path``, which is not empty and has no signature; none is decoded."""
    match = _SHAPE.fullmatch(path)
    assert match is not None  # the image takes whatever else there is
    return PathSegments(**{name: text or "" for name, text in match.groupdict().items()})


def split_filters(text: str) -> list[tuple[str, str]]:
    """Name and call of each filter, in order. A call is ``name(arguments)``; arguments may hold anything but ``):``."""
    calls = text.split("):")
    calls[:-1] = [f"{call})" for call in calls[:-1]]
    return [(call.partition("(")[0], call) for call in calls]
