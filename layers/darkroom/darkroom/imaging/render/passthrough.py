"""Return the master's bytes where a render would only lose quality."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from ...errors import DamagedSource
from ...plan.geometry.layout import Box, Geometry
from ...plan.limits import Limits
from ...plan.model import DEFAULT_QUALITY, SOURCE_CONTENT_TYPES, Gravity, Plan
from ..formats.jpeg.container import iter_segments
from ..formats.probe import Header
from ..formats.registry import TARGET_FORMATS, OutputFormat
from ..source import Source

if TYPE_CHECKING:
    from ..formats.metadata.rights import Rights

_DQT = 0xDB
_TABLE_BYTES = 64

K1_SUM = 3688
"""The sum of the luminance table of ITU-T T.81, K.1, which libjpeg scales for a quality: by 1 at 50, by 2 - q / 50
above."""


def reuse_source(
    plan: Plan,
    source: Source,
    header: Header,
    geometry: Geometry,
    checked_sha256: str,
    rights: Rights | None = None,
    default_quality: int = DEFAULT_QUALITY.jpeg,
) -> tuple[OutputFormat, bytes] | None:
    """Return the format and the bytes of ``source`` without metadata but ``rights``, where ``plan`` requests nothing
    else; else None.

    That is a JPEG of at most the requested quality (``default_quality`` if there is none), or a GIF: other headers do
    not record the quality. None also where the bytes are not those of ``checked_sha256``, since they have not been
    decoded whole. Raises what the stream of ``source`` raised.
    """
    form = TARGET_FORMATS[plan.format].choose(
        transparent=header.has_alpha, frames=header.frames, pixels=header.width * header.height
    )
    if form.name != header.format or not (_only_resizes(plan) and _has_plain_colour(header) and _keeps_size(geometry)):
        return None
    if form.name == "jpeg":
        asked = default_quality if plan.quality is None else plan.quality
        if isinstance(asked, str) or estimate_jpeg_quality(source) > asked:
            return None
    elif form.name != "gif":
        return None
    if not is_verified(source, checked_sha256):
        return None
    from ..formats.metadata.locate import strip_metadata  # few requests get here

    cleaned = strip_metadata(source.read_all(), header)
    return None if cleaned is None else (form, _add_rights(cleaned, form.name, rights))


def pass_through(
    plan: Plan, source: Source, header: Header, limits: Limits, checked_sha256: str, rights: Rights | None = None
) -> tuple[str, bytes] | None:
    """Return the content type and the bytes of ``source``, where ``plan`` passes its format through; else None.

    ``rights`` are added where the format can hold them.

    Bytes with the SHA-256 ``checked_sha256`` were stripped and decoded by ingest, and are returned unmodified. Others
    are decoded whole and stripped; None where they cannot be stripped. Raises DamagedSource, or what the stream raised.
    """
    large = source.size_bytes > limits.max_bytes  # a large image is read in parts
    if plan.redact or large or not {header.format, "all"} & set(plan.passthrough_formats):
        return None
    from ..formats.load import load_whole

    if header.format == "svg":
        from ..formats.svg.sanitise import sanitise

        try:
            return SOURCE_CONTENT_TYPES["svg"], sanitise(source.read_all())
        except ValueError as error:
            raise DamagedSource(detail=f"svg: {error}") from error
    if is_verified(source, checked_sha256):
        body = _add_rights(source.read_all(), header.format, rights, header.orientation)
        return SOURCE_CONTENT_TYPES[header.format], body
    with source.decoding():
        for frame in load_whole(source, header, limits, animated=header.animated).frames:
            frame.avg()
    from ..formats.metadata.locate import strip_metadata

    cleaned = strip_metadata(source.read_all(), header, keep_orientation=True)
    if cleaned is None:
        return None
    return SOURCE_CONTENT_TYPES[header.format], _add_rights(cleaned, header.format, rights, header.orientation)


def _add_rights(body: bytes, form: str, rights: Rights | None, orientation: int = 1) -> bytes:
    if not rights:
        return body
    from ..formats.metadata.locate import embed_rights

    return embed_rights(body, form, rights, orientation)


def is_verified(source: Source, sha256: str) -> bool:
    """Return whether ``source`` has the SHA-256 that ingest recorded for stripped and decoded bytes."""
    return bool(sha256) and hashlib.sha256(source.read_all()).hexdigest() == sha256


def estimate_jpeg_quality(source: Source) -> float:
    """Return libjpeg's quality (1–100) of the JPEG in ``source``, from the sum of its first quantisation table.

    Exact but for rounding where that table is libjpeg's own, scaled. 100 where the first table has 16 bits a number, or
    there is none before the image; raises ValueError where the file ends before.
    """
    table = next((segment.body for segment in iter_segments(source.read_at) if segment.marker == _DQT), None)
    if table is None or source.read_at(table, 1)[0] >> 4:
        return 100.0
    scale = sum(source.read_at(table + 1, _TABLE_BYTES)) / K1_SUM
    return 100 - 50 * scale if scale <= 1 else 50 / scale


def _only_resizes(plan: Plan) -> bool:
    """Return whether the plan sets nothing but a size, a format and a quality."""
    size = replace(plan, key="", rights=False, width=None, height=None, upscale=False, fit="contain", gravity=Gravity())
    return replace(size, format="auto", quality=None, download="", inline=False, passthrough_formats=()) == Plan("")


def _has_plain_colour(header: Header) -> bool:
    """Return whether a render would have the same colours."""
    return not header.has_profile and header.cicp is None and header.bits == 8 and header.colour in ("rgb", "gray")


def _keeps_size(geometry: Geometry) -> bool:
    whole = Box(0, 0, *geometry.stored)
    return geometry == Geometry(geometry.stored, 1, whole, geometry.stored)
