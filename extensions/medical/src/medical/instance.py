"""What is stored of an image beside its pixels: one JSON document per instance."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple

from .voi import Voi, parse_voi

type State = Literal["ready", "pending", "no-inference", "unanalysable"]
"""``ready``, or why there are no pixels: text is still to be searched for, there is no model that searches for it, or
the model cannot read the image."""


class Scale(NamedTuple):
    """Modality value = ``slope`` x stored number + ``intercept``."""

    slope: float
    intercept: float


@dataclass(frozen=True, slots=True)
class Instance:
    """An image without patient data. UIDs are the replaced ones.

    ``scales`` and ``presets`` have one entry, or one for each page. A preset is a window or a VOI LUT of the file.
    ``low`` and ``high`` are the least and greatest modality value. ``inverted``: the least value is white. ``levels``
    is the number of smaller copies in the master, whose object is ``master``. ``overlays`` has the pages that each
    plane of overlays belongs to, counted from 1; empty is all. ``metadata`` is in the DICOM JSON model.
    """

    study: str
    series: str
    instance: str
    state: State
    width: int
    height: int
    pages: int
    colour: bool
    inverted: bool
    low: float
    high: float
    scales: tuple[Scale, ...]
    presets: tuple[tuple[Voi, ...], ...]
    levels: int = 0
    master: str = ""
    overlays: tuple[tuple[int, ...], ...] = ()
    covered: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def scale(self, page: int) -> Scale:
        """Return the scale of ``page``, from 1."""
        return self.scales[page - 1 if len(self.scales) > 1 else 0]

    def page_presets(self, page: int) -> tuple[Voi, ...]:
        """Return the presets of ``page``, from 1."""
        return self.presets[page - 1 if len(self.presets) > 1 else 0]

    def to_json(self) -> bytes:
        """Return the document."""
        document = asdict(self) | {
            "scales": [list(scale) for scale in self.scales],
            "presets": presets_to_document(self.presets),
            "version": 1,
        }
        return json.dumps(document, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, body: bytes) -> Instance:
        """Parse a document; raises ValueError, KeyError or TypeError."""
        document = json.loads(body)
        if document.pop("version") != 1:
            raise ValueError("the version of the document is not 1")
        document["scales"] = tuple(Scale(*map(float, pair)) for pair in document["scales"])
        document["presets"] = parse_presets(document["presets"])
        document["overlays"] = tuple(map(tuple, document["overlays"]))
        return cls(**document)


def presets_to_document(presets: Sequence[Sequence[Voi]]) -> list[list[dict[str, object]]]:
    """Return presets as JSON."""
    return [[one.to_document() for one in page] for page in presets]


def parse_presets(document: Sequence[Sequence[Mapping[str, Any]]]) -> tuple[tuple[Voi, ...], ...]:
    """Parse presets."""
    return tuple(tuple(map(parse_voi, page)) for page in document)
