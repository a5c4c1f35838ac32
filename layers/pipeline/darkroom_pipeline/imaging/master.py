"""The clean, servable master of an upload.

Most uploads are kept as they are without metadata (:mod:`.formats.metadata.locate`). Those that viewers show otherwise
are encoded again (:mod:`.transcode`): HEIC, CMYK, and profiles that are more than a matrix and curves. TIFFs and
huge images become pyramids (:mod:`.pyramid`), so that a small derivative of them costs little. An SVG is written again
without what does not draw (:mod:`.formats.svg.sanitise`).
"""

from __future__ import annotations

from dataclasses import dataclass

from darkroom.errors import DamagedSource, DarkroomError, OverLimits
from darkroom.imaging.colour.icc import IccAction, choose_icc_action
from darkroom.imaging.formats.load import load_whole
from darkroom.imaging.formats.metadata.locate import strip_metadata
from darkroom.imaging.formats.probe import Header, estimate_decoder_bytes, probe
from darkroom.imaging.formats.registry import OUTPUT_FORMATS
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits

HUGE_PIXELS = 64_000_000
"""Stills from here on become pyramids. A derivative 320 px wide of 120 MP then takes 16 ms and the first 448 KB of the
master, instead of 244 ms and all of a JPEG, or 1,000 ms and all of a PNG."""


LARGE_DECODER_BYTES = 600_000_000
"""Stills whose decoder takes more become pyramids too, so that the smallest function (1,024 MB) can read any master."""


@dataclass(frozen=True, slots=True)
class Master:
    """What is stored and rendered from.

    ``how`` it was made: ``cleaned`` (the pixels are the upload's, bit by bit), ``encoded``, ``pyramid``, ``sanitised``.
    """

    body: bytes
    content_type: str
    method: str


def make_master(data: bytes, header: Header, *, limits: Limits) -> Master:
    """The master of the upload ``data``, whose header is ``header`` and whose pixels have been decoded whole before.

    It shows the same image upright as the upload, and is within ``limits`` itself. The gain map of a JPEG stays,
    however huge the JPEG. Raises DamagedSource, TypeNotAllowed or OverLimits for what shows only now: what is cleaned
    is not decoded here.
    """
    source = Source.from_bytes(data)
    if header.format == "svg":
        master = _sanitise_svg(data)
    elif header.format == "tiff" or _is_huge(header):
        master = _build_pyramid(source, header, limits)
    elif cleaned := _strip(source, header, limits):
        return cleaned
    else:
        master = _transcode(source, header, limits)
    if not _matches_upload(master, header, limits):
        raise DarkroomError(detail=f"the master is not the image: {header!r} {master.method}")
    return master


def _is_huge(header: Header) -> bool:
    still = not header.animated and not header.gain_map
    large = header.width * header.height >= HUGE_PIXELS or estimate_decoder_bytes(header) > LARGE_DECODER_BYTES
    return still and large


def _matches_upload(master: Master, header: Header, limits: Limits) -> bool:
    """Return whether a master is of the size of the upload and has as many frames or pages; raise OverLimits.

    An animation that was encoded again may have fewer: frames that are alike become one.
    """
    found = probe(Source.from_bytes(master.body), limits)
    size = (found.upright_width, found.upright_height)
    frames = found.frames == header.frames or (header.animated and master.method == "encoded")
    return size == (header.upright_width, header.upright_height) and frames


def _sanitise_svg(data: bytes) -> Master:
    from darkroom.imaging.formats.svg.sanitise import sanitise  # the parser is not needed for other types

    try:
        return Master(sanitise(data), "image/svg+xml", "sanitised")
    except ValueError as error:
        raise DamagedSource(detail=f"svg: {error}") from error


def _strip(source: Source, header: Header, limits: Limits) -> Master | None:
    """The upload without its metadata; None where that is not possible, or not all viewers would show it alike."""
    if header.format not in OUTPUT_FORMATS or header.colour not in ("gray", "rgb"):
        return None
    action = _choose_icc_action(source, header, limits) if header.has_profile else IccAction.KEEP
    if action is IccAction.APPLY:
        return None
    body = strip_metadata(source.read_all(), header, keep_orientation=True, keep_profile=action is IccAction.KEEP)
    if body is None:
        return None
    master = Master(body, OUTPUT_FORMATS[header.format].content_type, "cleaned")
    return master if _matches_upload(master, header, limits) else None


def _choose_icc_action(source: Source, header: Header, limits: Limits) -> IccAction:
    """Choose the action for the profile, as libvips reads it."""
    image = load_whole(source, header, limits).frames[0]
    return (
        choose_icc_action(image.get("icc-profile-data"), header.colour)
        if image.get_typeof("icc-profile-data")
        else IccAction.DROP
    )


def _transcode(source: Source, header: Header, limits: Limits) -> Master:
    from .transcode import transcode  # few uploads need it

    form, body = transcode(source, header, limits=limits)
    if len(body) > limits.max_bytes and not header.animated:
        return _build_pyramid(source, header, limits)
    return Master(body, form.content_type, "encoded")


def _build_pyramid(source: Source, header: Header, limits: Limits) -> Master:
    from .pyramid.build import build_pyramid
    from .pyramid.tiles import CONTENT_TYPE

    body = build_pyramid(source, header, limits=limits)
    if len(body) > limits.max_bytes:
        body = build_pyramid(source, header, limits=limits, compact=True)
    if len(body) > limits.max_bytes:
        raise OverLimits(f"The pyramid of the source has {len(body):,} bytes; the limit is {limits.max_bytes:,}")
    return Master(body, CONTENT_TYPE, "pyramid")
