"""Facts of an image format (how it is recognised, decoded and encoded), the header of an image, and the
blocks of its metadata.

:mod:`.registry` states the facts of each format.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal, NamedTuple

MAX_BLOCK_BYTES = 4 * 1024 * 1024
"""Longer ones hold images or histories, and are left alone."""

ORIENTATION_TAG = 0x0112
MAX_ENTRIES = 1_000
"""Entries of an EXIF block read for its orientation, of the first directory only; cameras write 10 to 60."""
_BYTE_ORDERS = {b"II": "little", b"MM": "big"}


class Cicp(NamedTuple):
    """Colour by code points of ITU-T H.273: 1 or 2 for sRGB-like primaries, 12 Display P3, 9 BT.2020."""

    primaries: int
    transfer: int


@dataclass(frozen=True, slots=True)
class Header:
    """An image before it is decoded.

    ``width`` and ``height`` are those of one frame in px, as stored; ``orientation`` (EXIF, 1–8) turns that upright.
    AVIF and HEIC decoders apply it. ``frames`` counts an animation's frames or a TIFF's pages. ``colour`` is
    ``gray``, ``rgb``, ``cmyk`` or ``lab``, ``bits`` those of one channel. ``progressive`` covers interlaced PNG and GIF
    too. ``cicp`` is the colour space by code points; an ICC profile (``has_profile``) takes precedence. ``gamma`` is
    the exponent that a PNG's samples were encoded with, where nothing else declares their colours and it is not near
    sRGB's; else 0.
    """

    format: str
    width: int
    height: int
    frames: int = 1
    orientation: int = 1
    has_alpha: bool = False
    has_profile: bool = False
    bits: int = 8
    progressive: bool = False
    colour: str = "rgb"
    gain_map: bool = False
    cicp: Cicp | None = None
    gamma: float = 0.0

    @property
    def upright_width(self) -> int:
        """Width in px of the upright image."""
        return self.height if self.orientation >= 5 else self.width

    @property
    def upright_height(self) -> int:
        """Height in px of the upright image."""
        return self.width if self.orientation >= 5 else self.height

    @property
    def text(self) -> str:
        """The header as JSON, without default values."""
        import json

        plain = Header("", 0, 0)
        return json.dumps({name: value for name, value in asdict(self).items() if value != getattr(plain, name)})

    @classmethod
    def parse(cls, text: str) -> Header:
        """Parse :attr:`text` of a still; raises ValueError."""
        import json

        try:
            header = cls(**json.loads(text))
        except TypeError as error:
            raise ValueError(text) from error
        if not all(isinstance(side, int) and side > 0 for side in (header.width, header.height)):
            raise ValueError(text)
        return header

    @property
    def animated(self) -> bool:
        """Return whether the frames play. Those of a TIFF are pages, and no other format has both."""
        return self.frames > 1 and self.format != "tiff"


type EncoderOptions = dict[str, int | float | bool | str]
"""Options of a libvips saver."""

type OptionTable = tuple[tuple[int, EncoderOptions], ...]
"""Encoder options by size: each row holds up to so many pixels (width × height × frames)."""

type Effort = Literal["fast", "balanced", "slow"]
"""``fast``: a client waits. ``balanced``: at ingest. ``slow``: an image that is viewed often is encoded again."""

ANY_SIZE = 1 << 62
"""The limit of an option table's last row."""

FLAT, SMOOTH, BUSY = "flat", "smooth", "busy"
"""Classes of image content: drawings, soft tones, detail."""


class Signature(NamedTuple):
    """The first bytes of a format: ``start`` and, where given, ``inner`` at byte ``at``."""

    start: bytes
    inner: bytes = b""
    at: int = 0


class Loader(NamedTuple):
    """A libvips loader: its class, its operation, and the level of message at which an image counts as damaged.

    libjpeg, libnsgif and libtiff report broken data as warnings. libspng's warnings are about metadata. ``whole``: it
    reads the whole file before it begins. ``pages``: it takes ``page`` and ``n`` for frames of an animation.
    ``shrinks``: factors by which it can shrink while decoding. ``scales``: it can scale a still down by any factor.
    """

    family: str
    operation: str
    fail_on: str
    whole: bool = True
    pages: bool = False
    shrinks: tuple[int, ...] = ()
    scales: bool = False


@dataclass(frozen=True, slots=True)
class DecoderMemory:
    """Bytes per pixel. ``alpha`` and ``deep`` (over 8 bits a channel) are added, ``progressive`` replaces ``plain``.

    ``by_depth``: the sum is for 8 bits a channel and grows with them. ``by_rows``: an image that is read in strips
    takes it for the rows that are decoded at once (``probe.read_rows``).

    Measured as the peak resident memory of a process that renders 320 px of 24 megapixels, without the file and the
    process itself (pyvips-binary 8.18, malloc settings of the function); ``tests/component/imaging/test_memory.py``
    measures again. List the worst case: an image that takes less may be an easy one.
    """

    plain: float
    progressive: float = 0.0
    alpha: float = 0.0
    deep: float = 0.0
    by_depth: bool = False
    by_rows: bool = False

    def per_pixel(self, header: Header) -> float:
        """Return bytes for each pixel of one frame."""
        base = self.progressive if header.progressive and self.progressive else self.plain
        total = base + self.alpha * header.has_alpha + self.deep * (header.bits > 8)
        return total * max(1, header.bits / 8) if self.by_depth else total


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFormat:
    """A format that is accepted.

    ``package`` is the folder with its modules: ``probe`` (``read_header``; ``find_patches`` where ``patched``) and
    ``metadata`` (``locate``; ``strip`` where ``strips``). ``loader`` is None where libvips cannot decode it.
    ``decodes_upright``: the decoder applies the orientation. ``may_be_drawing``: lossless, or so good that a drawing is
    still flat. ``embeddable``: allowed within an SVG. ``lossless`` is None where only the file shows it
    (``probe.is_lossless``).
    """

    name: str
    label: str
    package: str
    memory: DecoderMemory
    loader: Loader | None = None
    signatures: tuple[Signature, ...] = ()
    strips: bool = False
    patched: bool = False
    decodes_upright: bool = False
    may_be_drawing: bool = False
    embeddable: bool = False
    lossless: bool | None = False


class Start(NamedTuple):
    """Where the search of ``q=auto`` begins: a quality on the encoder's scale that usually has the target's score, and
    the score that one step of quality is worth."""

    quality: int
    slope: float


type StartTable = Mapping[str, tuple[tuple[int, Start], ...]]
"""By class of content: up to so many pixels."""


@dataclass(frozen=True, slots=True)
class SmoothOptions:
    """Encoder options for an image of up to ``max_pixels`` with a detail below ``max_levels``
    (:func:`darkroom.imaging.formats.encode.measure_detail`): it encodes sooner, so it can have more effort.
    """

    max_pixels: int
    max_levels: float
    options: EncoderOptions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoder:
    """How libvips encodes a format.

    ``fast``, ``balanced`` and ``slow`` are its options by effort; without ``balanced`` those of ``fast`` apply.
    ``always`` holds options of every encode, ``baseline`` those of a JPEG that is not progressive, ``lossless`` those
    that make a lossy encoder lossless, or suit drawings. ``alternatives``: options of which each is tried, as only the
    result shows which is smallest. ``smooth``: options of images with little detail, unless the effort is slow.
    ``coarse``: options up to ``coarse_quality``, and of ``q=auto``. ``quality_scale``: pairs of a quality on libjpeg's
    scale and the encoder's own, straight between them. ``finish_alpha``: applied to the bytes of an animation with
    alpha.

    For ``q=auto``: ``search`` are its options while a client waits, where they differ from ``fast``; ``drawing``
    further ones for drawings, ``full_chroma`` those that keep more of the colour, ``trials`` sets of options that suit
    one image and not another. ``starts`` is where the search begins, on a sample of ``sample_pixels``. ``bend``: the
    share by which a step of quality gains more, per point below the target.
    """

    saver: str
    fast: OptionTable
    slow: OptionTable
    balanced: OptionTable = ()
    always: EncoderOptions = field(default_factory=dict)
    baseline: EncoderOptions = field(default_factory=dict)
    lossless: EncoderOptions = field(default_factory=dict)
    alternatives: Mapping[Effort, tuple[EncoderOptions, ...]] = field(default_factory=dict)
    smooth: SmoothOptions | None = None
    coarse: EncoderOptions = field(default_factory=dict)
    coarse_quality: int = 0
    quality_scale: tuple[tuple[int, int], ...] = ()
    finish_alpha: Callable[[bytes], bytes] | None = None
    search: OptionTable = ()
    drawing: EncoderOptions = field(default_factory=dict)
    full_chroma: EncoderOptions = field(default_factory=dict)
    trials: tuple[EncoderOptions, ...] = ()
    starts: StartTable = field(default_factory=dict)
    sample_pixels: int = 600_000
    bend: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class OutputFormat:
    """A format that is served, and what it can hold.

    ``lossless``: quality has no meaning. ``max_side_px``: the format's own limit, or that of its encoder in libvips.
    ``max_pixels``: what its encoder has memory for; AVIF's takes 19 MB a megapixel. ``fast_spare_reduction``: the
    reduction that a shrinking JPEG decoder leaves to the resize in a first response, where it is less than usual.
    """

    name: str
    content_type: str
    alpha: bool
    animated: bool
    lossless: bool
    max_side_px: int
    encoder: Encoder
    max_pixels: int | None = None
    fast_spare_reduction: float | None = None


@dataclass(frozen=True, slots=True)
class MetadataBlocks:
    """The first block of each kind, unwrapped; empty where there is none. Of a TIFF, ``exif`` is the whole file.

    ``has_manifest``: whether the file holds Content Credentials (C2PA 2.2, appendix A). ``further_xmp``: the packet in
    the second place, where a format has two.
    """

    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    iptc_digest: bytes = b""
    has_manifest: bool = False
    further_xmp: bytes = b""


def read_orientation(block: bytes) -> int:
    """Return the orientation in an EXIF ``block``, 1–8, or 1 without one: damaged EXIF must not damage the image."""
    order = "little" if block[:2] == b"II" else "big"
    if block[:2] not in _BYTE_ORDERS or len(block) < 8:
        return 1

    def number(at: int, size: int) -> int:
        return int.from_bytes(block[at : at + size], order)  # type: ignore[arg-type]

    start = number(4, 4)
    entries = min(number(start, 2), MAX_ENTRIES)
    for entry in range(start + 2, min(start + 2 + 12 * entries, len(block) - 11), 12):
        if number(entry, 2) == ORIENTATION_TAG:
            value = number(entry + 8, 2) if number(entry + 2, 2) == 3 else number(entry + 8, 4)
            return value if 1 <= value <= 8 else 1
    return 1
