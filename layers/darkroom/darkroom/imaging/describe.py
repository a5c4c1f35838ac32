"""``f=json`` and ``f=thumbhash``: what a page needs before it shows an image.

``f=json`` returns one object::

    {"width": 4608, "height": 1976,             upright, px
     "format": "jpeg", "bytes": 2190194,        of the source
     "frames": 1, "animated": false,
     "orientation": 6,                          EXIF, 1–8, as stored
     "colour": {"space": "rgb", "profile": "Display P3" or null, "bits": 8, "alpha": false, "hdr": false},
     "dominant": "#8a6f4d",
     "thumbhash": "1QcSHQRnh493V4dIh4eXh1h4kJUI",
     "blurhash": "LbF%_#adWBof~qWXRjofIUj[ofj[",
     "srcset": "/photo.jpg?w=320&dpr=1 320w, /photo.jpg?w=480&dpr=1 480w",
     "rights": {"creator": "Ann", "copyright": "© 2024 Ann", "licence_url": "https://…"},    what the upload states
     "about": {"title": "Bay", "alt_text": "A boat in a bay", "extended_description": "…"}}     the same

With ``boxes=1`` it also has what models found in the first frame, in fractions of the upright image, without texts::

    {"boxes": {"faces": [{"box": [0.36, 0.11, 0.17, 0.23], "score": 0.94}],
               "text": [{"corners": [[0.1, 0.8], [0.4, 0.8], [0.4, 0.85], [0.1, 0.85]], "score": 0.98,
                         "personal": ["mail"]}],
               "objects": [{"class": "car", "box": [0.5, 0.6, 0.2, 0.1], "score": 0.81}]},
     "pending": [], "unreadable": []}           tasks that are not analysed yet, and that the models could not read

``f=thumbhash`` returns the ThumbHash alone, as base64 text, the form in which pages embed it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import pyvips

from ..image_keys import quote_key
from ..plan.model import Plan
from ..plan.variants import LADDER_PX
from .colour.icc import identify_profile
from .formats.probe import Header

if TYPE_CHECKING:
    from ..findings import Findings
    from .formats.metadata.rights import Rights

JSON_TYPE = "application/json"
THUMBHASH_TYPE = "text/plain; charset=utf-8"
SAMPLE_SIDE_PX = 64
"""Of the sample: the hash holds seven frequencies at most."""
_BIN_BITS = 3
"""Of each channel, for counting colours: 512 bins."""
_OPAQUE_ENOUGH = 128
_LISTS = {"faces": "faces", "text": "lines", "objects": "objects"}
"""The list of regions in the document of each task."""


def make_sample_plan(plan: Plan) -> Plan:
    """Return the plan of the small upright sRGB sample that describes the source of ``plan``."""
    side = SAMPLE_SIDE_PX
    return Plan(plan.key, width=side, height=side, page=plan.page, animate=False, format="png")


def encode_placeholder(sample: pyvips.Image) -> str:
    """Return the ThumbHash of an image of at most 100 × 100 px in sRGB or grey, as base64."""
    from .hashes import encode_thumbhash

    return b64encode(encode_thumbhash(sample.width, sample.height, _rgba(sample))).decode()


def describe(
    plan: Plan,
    header: Header,
    sample: pyvips.Image,
    *,
    size_bytes: int,
    profile: bytes | None = None,
    ladder: Sequence[int] = LADDER_PX,
    rights: Rights | None = None,
    findings: Findings | None = None,
) -> bytes:
    """Return the JSON about a source of ``size_bytes``.

    ``sample`` is rendered by :func:`make_sample_plan`, ``profile`` is the source's ICC profile, ``ladder`` are the
    widths in px that its ``srcset`` may have, ``rights`` the rights and texts of the image. ``findings`` are for a
    plan with ``boxes``.
    """
    import json  # not needed for images

    from .blurhash import encode_blurhash

    wide, tall = header.upright_width, header.upright_height
    answer = {
        "width": wide,
        "height": tall,
        "format": header.format,
        "bytes": size_bytes,
        "frames": header.frames,
        "animated": header.animated,
        "orientation": header.orientation,
        "colour": {
            "space": header.colour,
            "profile": identify_profile(profile) if profile else None,
            "bits": header.bits,
            "alpha": header.has_alpha,
            "hdr": header.gain_map,
        },
        "dominant": find_dominant_colour(sample),
        "thumbhash": encode_placeholder(sample),
        "blurhash": encode_blurhash(sample.width, sample.height, _rgba(sample)),
        "srcset": build_srcset(plan, wide, ladder),
        "rights": rights.document if rights else {},
        "about": rights.about if rights is not None else {},
    }
    if plan.boxes:
        answer |= describe_boxes(findings)
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()


def describe_boxes(findings: Findings | None) -> dict[str, object]:
    """Return the fields with boxes of ``findings``; None: the image is not analysed yet.

    A task without a model is in none of them.
    """
    from ..findings import finding_to_document

    found = findings.found if findings else {}
    documents = {task: finding_to_document(found[task]) for task in _LISTS if task in found}
    boxes = {task: document[_LISTS[task]] for task, document in documents.items() if "error" not in document}
    for line in boxes.get("text", ()):
        del line["text"]
    pending = [task for task in _LISTS if findings is None or findings.is_awaited(task)]
    return {"boxes": boxes, "pending": pending, "unreadable": [task for task in documents if task not in boxes]}


def build_srcset(plan: Plan, width: int, ladder: Sequence[int] = LADDER_PX) -> str:
    """Return an ``srcset`` for an image ``width`` px wide: the ladder below it, and the next step for all of it.

    ``dpr=1``: browsers apply the screen's pixel ratio when they choose by width descriptors, and a client hint must not
    multiply it again (decision 5).
    """
    page = f"&page={plan.page}" if plan.page else ""
    path = f"/{quote_key(plan.key)}"
    offered = [step for below, step in pairwise((0, *ladder)) if below < width]
    return ", ".join(f"{path}?w={step}&dpr=1{page} {min(step, width)}w" for step in offered)


def find_dominant_colour(sample: pyvips.Image) -> str:
    """Return the mean of the most frequent colours, as ``#rrggbb``.

    Transparent pixels count only if there are no others.
    """
    rgba = _rgba(sample)
    pixels = list(zip(rgba[::4], rgba[1::4], rgba[2::4], rgba[3::4], strict=True))
    shift = 8 - _BIN_BITS
    bins: dict[tuple[int, int, int], list[tuple[int, int, int, int]]] = {}
    for pixel in [seen for seen in pixels if seen[3] >= _OPAQUE_ENOUGH] or pixels:
        bins.setdefault((pixel[0] >> shift, pixel[1] >> shift, pixel[2] >> shift), []).append(pixel)
    most = max(bins.values(), key=len)
    return "#" + "".join(f"{round(sum(band) / len(most)):02x}" for band in list(zip(*most, strict=True))[:3])


def _rgba(sample: pyvips.Image) -> bytes:
    image = sample.colourspace("srgb")
    if not image.hasalpha():
        image = image.bandjoin(255)
    return bytes(image.cast("uchar").write_to_memory())


class ImageSummary(ABC):
    """Hashes and colours of an image, or of its first frame. The sample is rendered once, on demand."""

    @cached_property
    def thumbhash(self) -> str:
        """The ThumbHash, as base64."""
        return encode_placeholder(self.sample)

    @cached_property
    def dominant(self) -> str:
        """The dominant colour, as ``#rrggbb``."""
        return find_dominant_colour(self.sample)

    @cached_property
    def perceptual_hash(self) -> str:
        """A hash of 64 bits that copies of the image share, as 16 hex digits (:mod:`.hashes`)."""
        from .hashes import compute_perceptual_hash

        return compute_perceptual_hash(self.sample)

    @cached_property
    def sample(self) -> pyvips.Image:
        """The image as :func:`.describe.make_sample_plan` renders it."""
        return self._make_sample()

    @abstractmethod
    def _make_sample(self) -> pyvips.Image:
        """Render the sample."""
