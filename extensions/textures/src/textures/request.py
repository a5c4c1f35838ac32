"""Parse URLs of textures: ``/<encoded key>/_/texture?f=ktx2&w=1024``.

The path is written with :func:`darkroom.image_keys.encode_key`, because an HTTP API decodes percent-escapes. The
options are those of native URLs, besides ``codec`` and ``space``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from darkroom.errors import BadKey, BadOption, DuplicateOption
from darkroom.image_keys import check_key, decode_key, encode_key, quote_key
from darkroom.plan.canonical import SEPARATOR, canonical_path
from darkroom.plan.model import Plan
from darkroom.plan.native_url import parse_url
from darkroom.plan.presets import Presets

FORMAT = "ktx2"
PAGE = "texture"
"""The last segment of the path, which follows ``/_/``: no key and no derivative has this name."""

BLOCK_PX = 4
"""Width and height of the blocks of every format that textures are transcoded to."""

MAX_SIDE_PX = 2048
"""Largest ``w`` and ``h``. Every device with WebGL 2 has textures of this size (OpenGL ES 3.0, table 6.28)."""

_NAMES = {"f": "f", "format": "f", "codec": "codec", "space": "space"}


class Codec(StrEnum):
    """``ETC1S``: smallest files. ``UASTC``: better quality, larger files."""

    ETC1S = "etc1s"
    UASTC = "uastc"


class Space(StrEnum):
    """``SRGB``: colours. ``LINEAR``: data, such as normal maps, whose numbers are used as they are."""

    SRGB = "srgb"
    LINEAR = "linear"


@dataclass(frozen=True, slots=True)
class TextureOptions:
    """How pixels become a texture."""

    codec: Codec = Codec.ETC1S
    space: Space = Space.SRGB

    @property
    def format(self) -> str:
        """Return the format of the plan, which is the extension of the derivative: ``etc1s.ktx2``."""
        words = (self.codec,) if self.space is Space.SRGB else (self.codec, self.space)
        return f"{'-'.join(words)}.{FORMAT}"

    @classmethod
    def of_format(cls, name: str) -> TextureOptions:
        """Return the options that a plan's format is named by."""
        codec, _, space = name.removesuffix(f".{FORMAT}").partition("-")
        return cls(Codec(codec), Space(space or Space.SRGB))


@dataclass(frozen=True, slots=True)
class TextureRequest:
    """A parsed URL. ``url`` is its path and query as written, which a literal signature covers.

    ``only_preset``: a preset is the only option besides those of textures.
    """

    plan: Plan
    url: str
    signature: str = ""
    expires_s: int | None = None
    only_preset: bool = False

    @property
    def path(self) -> str:
        """Return the canonical request, which signatures cover, too."""
        return canonical_path(self.plan)


def texture_path(key: str) -> str:
    """Return the path of textures of the image ``key``, without a query."""
    return f"/{encode_key(key)}{SEPARATOR}{PAGE}"


def parse_request(path: str, query: str, presets: Presets) -> TextureRequest:
    """Parse ``path`` and ``query``, both as written. Raises BadKey or BadOption."""
    encoded, separator, page = path.removeprefix("/").rpartition(SEPARATOR)
    if not separator or page != PAGE:
        raise BadKey("The path of a texture is /<key>/_/texture")
    key = check_key(decode_key(encoded))
    given, native = _split_options(query)
    if given.get("f") != FORMAT:
        raise BadOption("f: textures have the format ktx2", option="f")
    options = TextureOptions(_parse_word(Codec, "codec", given), _parse_word(Space, "space", given))
    found = parse_url(f"/{quote_key(key)}?{'&'.join([*native, 'f=png'])}", presets)
    names = {pair.partition("=")[0] for pair in native}
    return TextureRequest(
        plan=replace(_align(found.plan), format=options.format),
        url=f"{path}?{query}",
        signature=found.signature,
        expires_s=found.expires_s,
        only_preset="preset" in names and names <= {"preset", "exp", "s", "signature"},
    )


def _split_options(query: str) -> tuple[dict[str, str], list[str]]:
    """Return the options of textures, and the other pairs of ``query``. Raises DuplicateOption."""
    given: dict[str, str] = {}
    native: list[str] = []
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        if name not in _NAMES:
            native.append(pair)
        elif _NAMES[name] in given:
            raise DuplicateOption(f"{_NAMES[name]} was given twice", option=_NAMES[name])
        else:
            given[_NAMES[name]] = value
    return given, native


def _parse_word[Word: StrEnum](kind: type[Word], name: str, given: dict[str, str]) -> Word:
    words = list(kind)
    try:
        return kind(given.get(name, words[0]))
    except ValueError:
        raise BadOption(f"{name} is {' or '.join(words)}", option=name) from None


def _align(plan: Plan) -> Plan:
    """Round the box down to whole blocks. Raises BadOption without a box, and for options that need other files."""
    if plan.overlays:
        raise BadOption("ov: textures have no overlays", option="ov")
    if plan.width is None and plan.height is None:
        raise BadOption("w: textures need w or h", option="w")
    for name, side in (("w", plan.width), ("h", plan.height)):
        if side is not None and not BLOCK_PX <= side <= MAX_SIDE_PX:
            raise BadOption(f"{name}: a texture has sides of {BLOCK_PX} to {MAX_SIDE_PX} px", option=name)
    width, height = (side and align_side(side) for side in (plan.width, plan.height))
    return replace(plan, width=width, height=height)


def align_side(side_px: int) -> int:
    """Return ``side_px`` rounded down to a multiple of the block size, but at least one block."""
    return max(BLOCK_PX, side_px - side_px % BLOCK_PX)
