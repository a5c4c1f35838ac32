"""Open an image lazily: from bytes to pixels that are decoded as they are read.

Importing this module sets libvips up for untrusted images: only the loaders in :data:`LOADERS` are allowed, and its
operation cache, which hashes and keeps whole inputs, is off.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

import pyvips

from ...errors import BadOption, DamagedSource, NoFonts
from ...plan.geometry.layout import Box, Geometry, Size
from ...plan.limits import Limits
from ..colour.convert import expand_range, gamma_to_srgb, lab_bytes_to_srgb, normalise_bands
from ..source import Source
from .image_format import Effort, Loader
from .probe import Header, find_patches
from .registry import OUTPUT_FORMATS, SOURCE_FORMATS

SPARE_REDUCTION = 2.0
"""Loaders that shrink while they decode leave at least this factor to the resize: their own filters are box filters.

Over fifteen photographs, a JPEG that was left 1.25 needed 6 % more bytes, one 40 %, to score as well beside a
resize of all pixels (SSIMULACRA2). It would save 7 of 34 ms of 12 MP.
"""

_ROUNDING_TOLERANCE = 1.01
"""How much less than half a level of a pyramid may leave: a tile at the edge of a large image is up to a pixel larger,
and would be read from four times the pixels."""


LOADERS: dict[str, Loader] = {name: one.loader for name, one in SOURCE_FORMATS.items() if one.loader}

pyvips.cache_set_max(0)
logging.getLogger("pyvips").setLevel(logging.ERROR)  # its warnings would be lines in our logs that are no JSON
pyvips.operation_block_set("VipsForeignLoad", True)
for _loader in LOADERS.values():
    pyvips.operation_block_set(_loader.family, False)


def choose_spare_reduction(form: str, effort: Effort) -> float:
    """Return the least reduction that is left to the resize of an image that is served as ``form``."""
    output = OUTPUT_FORMATS.get(form)
    if effort == "slow" or output is None or output.fast_spare_reduction is None:
        return SPARE_REDUCTION
    return output.fast_spare_reduction


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """A loaded image. ``frames`` are to be read in their order, once. ``delays_ms`` and ``loop`` are libvips' own.

    ``modified``: whether any pixel may differ from the source's.
    """

    frames: list[pyvips.Image]
    delays_ms: list[int]
    loop: int
    modified: bool = False


def get_loaded_size(header: Header) -> tuple[Size, int]:
    """Return the size that a loader gives, and the EXIF orientation still to apply. HEIF decoders apply it."""
    if SOURCE_FORMATS[header.format].decodes_upright:
        return Size(header.upright_width, header.upright_height), 1
    return Size(header.width, header.height), header.orientation


def load(
    source: Source,
    header: Header,
    geometry: Geometry,
    limits: Limits,
    *,
    page: int = 0,
    animated: bool = False,
    whole: bool = False,
    spare: float = SPARE_REDUCTION,
) -> DecodedImage:
    """Return the image in ``source``, decoded only as it is read and, unless ``whole``, as small as ``geometry``
    allows.

    JPEG's decoder leaves at least a reduction by ``spare`` to the resize.
    ``page`` chooses one page or frame, ``animated`` all frames. Raises BadOption where there is no such page,
    DamagedSource for what shows in the header already, or what the source's stream raised.
    """
    if page >= header.frames:
        raise BadOption(
            f"page must be a whole number from 0 to {header.frames - 1}: the source has {header.frames}", option="page"
        )
    with source.decoding(of_source=decodes_identically(source, header)):
        if header.format == "heic":
            from .bmff import heic  # Pillow takes 30 ms to import

            image = heic.decode_heic(source)
        elif header.format == "png" and header.frames > 1 and (animated or not _is_default_image(source, page)):
            from .png import apng_decode  # NumPy is not needed for stills

            image = apng_decode.load_frames(source, page=None if animated else page)
        else:
            options = {} if whole else _shrink_options(header, geometry, limits, spare)
            options |= _page_options(header, page, animated=animated)
            if header.format == "tiff":
                options = _directory_options(source, page, geometry, limits, whole=whole)
            image = _open(source, header, options, page)
        if header.gamma:
            image = gamma_to_srgb(image, header.gamma)
        if is_lab := header.colour == "lab" and _is_lab_of_bytes(header):
            image = lab_bytes_to_srgb(image)
        is_limited = False
        if header.format == "avif" and (header.colour == "gray" or header.has_alpha):
            planes = _find_limited_planes(source, header)
            is_limited = any(planes)
            image = expand_range(image, *planes)
        decoded = _split_frames(_remove_orientation(normalise_bands(image)), animated=animated)
        return replace(decoded, modified=bool(header.gamma) or is_lab or is_limited)


def _is_lab_of_bytes(header: Header) -> bool:
    from .tiff.probe import is_lab_of_bytes  # not needed for other types

    return is_lab_of_bytes(header)


def _find_limited_planes(source: Source, header: Header) -> tuple[bool, bool]:
    from .bmff.probe import find_limited_planes  # not needed for other types

    return find_limited_planes(source, header)


def _is_default_image(source: Source, page: int) -> bool:
    """Return whether the frame ``page`` of an animated PNG is the image that libvips decodes."""
    from .png.apng import parse_animation  # not needed for stills

    animation = parse_animation(source.read_all())
    return page == 0 and animation is not None and animation.default_image_is_frame


def decodes_identically(source: Source, header: Header) -> bool:
    """Return whether every variant decodes the same: one frame, all bytes, and not drawn at a scale as SVG is."""
    return header.frames == 1 and not source.is_ranged and header.format != "svg"


def load_whole(
    source: Source, header: Header, limits: Limits, *, page: int = 0, animated: bool = False
) -> DecodedImage:
    """The image in ``source`` at its own size, as :func:`load` gives it, with its errors."""
    stored, orientation = get_loaded_size(header)
    upright = Size(header.upright_width, header.upright_height)
    geometry = Geometry(stored, orientation, Box(0, 0, *upright), upright)
    return load(source, header, geometry, limits, page=page, animated=animated, whole=True)


def _open(source: Source, header: Header, options: dict[str, Any], page: int) -> pyvips.Image:
    loader = LOADERS[header.format]
    if header.format == "svg":
        from ..fonts import use_fonts
        from .svg import sanitise  # the sanitiser is not needed for other types

        try:
            body = sanitise.sanitise(source.read_all(), scale=options.get("scale", 1.0))
            clean = pyvips.Source.new_from_memory(body)
        except ValueError as error:
            raise DamagedSource(detail=f"svg: {error}") from error
        try:
            use_fonts()
        except NoFonts:
            if b"<text" in body:
                raise
        return pyvips.Operation.call(loader.operation, clean, access="sequential", **options)
    if header.format == "avif" and header.has_alpha and header.orientation != 1:
        opened = _open_turned(source, header)
    else:
        opened = source.open_vips(whole=loader.whole, patches=find_patches(source, header.format, page))
    return pyvips.Operation.call(loader.operation, opened, access="sequential", fail_on=loader.fail_on, **options)


def _open_turned(source: Source, header: Header) -> pyvips.Source:
    """Open an AVIF whose alpha has the turns of its image: libheif leaves it unturned where it has none of its own."""
    from .metadata.locate import strip_metadata  # few images need it

    complete = strip_metadata(source.read_all(), header, keep_orientation=True)
    if complete is None:
        return source.open_vips(whole=True, patches=find_patches(source, header.format))
    return source.open_rewritten(complete)


def _page_options(header: Header, page: int, *, animated: bool) -> dict[str, Any]:
    """The loader's options for pages and frames."""
    if not LOADERS[header.format].pages or header.frames == 1:
        return {}
    return {"n": -1} if animated else {"page": page, "n": 1}


def _directory_options(source: Source, page: int, geometry: Geometry, limits: Limits, *, whole: bool) -> dict[str, Any]:
    """The loader's options for a TIFF's page, or for a smaller version of it that leaves something to the resize.

    Where those are too many pixels, the smallest version that is not enlarged. Raises BadOption where those are, too.
    """
    from .tiff import probe  # not needed for other types

    place, shrinks = probe.find_page(source, page)
    wanted = [
        1,
        *(
            shrink
            for shrink in shrinks
            if not whole and shrink <= geometry.shrink / SPARE_REDUCTION * _ROUNDING_TOLERANCE
        ),
    ]
    if shrinks and _read_pixels(geometry, wanted[-1]) > limits.max_pixels:
        wanted = [1, *(shrink for shrink in shrinks if not whole and shrink <= geometry.shrink)]
        _check_read(_read_pixels(geometry, wanted[-1]), limits, whole=whole)
    return {"page": place, "n": 1} | ({"subifd": len(wanted) - 2} if len(wanted) > 1 else {})


def _read_pixels(geometry: Geometry, shrink: int) -> int:
    """Return how many pixels of the version that is smaller by ``shrink`` are read."""
    return geometry.stored_region.width * geometry.stored_region.height // shrink**2


def _check_read(pixels: int, limits: Limits, *, whole: bool) -> None:
    if pixels > limits.max_pixels:
        raise BadOption(
            f"{pixels:,} pixels of the source would be read at once; the limit is {limits.max_pixels:,}: "
            "request a smaller part of it, or a smaller image",
            option="trim" if whole else "crop",
        )


def _shrink_options(header: Header, geometry: Geometry, limits: Limits, spare: float) -> dict[str, Any]:
    """Return the loader's options to decode fewer pixels, and an SVG's to draw as many as are needed."""
    if header.format == "svg":
        most = (limits.max_pixels / (header.width * header.height)) ** 0.5
        return {"scale": min(1 / geometry.shrink, most)}
    loader = LOADERS[header.format]
    if loader.shrinks:
        return {"shrink": next((shrink for shrink in loader.shrinks if shrink <= geometry.shrink / spare), 1)}
    if loader.scales and header.frames == 1:
        return {"scale": min(1.0, SPARE_REDUCTION / geometry.shrink)}
    return {}


def _remove_orientation(image: pyvips.Image) -> pyvips.Image:
    """``image`` without its orientation tag: the header has it, and the AVIF saver would turn by it again."""
    if not image.get_typeof("orientation"):
        return image
    plain = image.copy()
    plain.remove("orientation")
    return plain


def _split_frames(image: pyvips.Image, *, animated: bool) -> DecodedImage:
    """The frames, which libvips stacks from top to bottom."""
    if not animated:
        return DecodedImage([image], [], 0)
    height = image.get_page_height()
    frames = [image.crop(0, top, image.width, height) for top in range(0, image.height, height)]
    delays = image.get("delay") if image.get_typeof("delay") else []
    return DecodedImage(frames, delays, image.get("loop") if image.get_typeof("loop") else 0)
