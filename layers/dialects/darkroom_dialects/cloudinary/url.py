"""Parse Cloudinary URLs: ``/<cloud>/image/upload/<signature>/<transformations>/v<version>/<public ID>``.

All but ``image/upload`` and the public ID is optional. A signature, ``s--…--``, is the beginning of a digest over the
transformations and the public ID as spelled, and the API secret: 8 characters of SHA-1, or 32 of SHA-256, both in
base64url.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from darkroom.errors import BadKey, BadOption, DuplicateOption
from darkroom.plan.options import escape_text

from ..common.mapping import OptionMapping, find_parser
from ..common.parsed_url import DialectKey, ParsedUrl, SignatureClaim, verify_claim
from ..common.settings import DialectSettings
from ..common.validate import BAD_PATH, bad_option, build_valid_plan, decode_text
from .convert import convert_options
from .model import CloudinaryOptions, Resize
from .option_parsers import FORMATS, OptionParser
from .options import EFFECTS, FLAGS, PARAMETERS

SHORT_SIGNATURE, LONG_SIGNATURE = 8, 32
"""Characters of the two signatures."""

_SHAPE = "The path must be like /<cloud name>/image/upload/<transformations>/<public ID>"
_DELIVERED = re.compile(r"(?:/(?P<cloud>[^/]+))??/(?P<kind>image|images|video|raw|files)/(?P<rest>.+)")
_SIGNATURE = re.compile(r"s--([A-Za-z0-9_-]*)--")
_VERSION = re.compile(r"v[0-9]{1,12}")
_OPTION = re.compile(r"(?:[a-z]{1,3}_|\$)[^/]+")
_NAME = re.compile(r"([a-z]{1,3})_(.*)", re.DOTALL)
_NAMED = "t"


@dataclass(frozen=True, slots=True)
class Parts:
    """A path in its parts, as spelled: ``before`` ends with the type of delivery, ``signature`` is None without one."""

    before: str
    cloud: str
    signature: str | None
    transformations: tuple[str, ...]
    version: str
    public_id: str

    @property
    def message(self) -> str:
        """Return what a signature covers: everything after it but the version."""
        return "/".join((*self.transformations, self.public_id))


def split_path(path: str) -> Parts:
    """Split a path. Raises BadKey, also for other deliveries than ``image/upload``."""
    match = _DELIVERED.fullmatch(path)
    if match is None:
        raise BadKey(_SHAPE)
    kind, (delivery, slash, rest) = match["kind"], match["rest"].partition("/")
    if (kind, delivery) != ("image", "upload") or not slash:
        raise BadKey(f"{_SHAPE}; {escape_text(kind)}/{escape_text(delivery)} is not served")
    segments = [segment for segment in rest.split("/") if segment]
    signature = None
    if segments and (found := _SIGNATURE.fullmatch(segments[0])):
        signature = found[1]
        del segments[0]
    count = _count_transformations(segments)
    version = segments[count] if segments[count:] and _VERSION.fullmatch(segments[count]) else ""
    if not segments[count + bool(version) :]:
        raise BadKey(_SHAPE)
    public_id = "/".join(segments[count + bool(version) :])
    before = path[: len(path) - len(rest)]
    return Parts(before, match["cloud"] or "", signature, tuple(segments[:count]), version, public_id)


def _count_transformations(segments: Sequence[str]) -> int:
    """Return how many segments are transformations: those before a version, or that look like some.

    The last segment belongs to the public ID.
    """
    for at, segment in enumerate(segments[:-1]):
        options = decode_text(segment, BadKey, BAD_PATH).split(",")
        if _VERSION.fullmatch(segment) or not all(_OPTION.fullmatch(option) for option in options):
            return at
    return max(0, len(segments) - 1)


# -------------------------------------------------------------- signature


def sign(message: bytes, key: DialectKey, characters: int = SHORT_SIGNATURE) -> str:
    """Return the signature of ``message``, in the short form or the long one."""
    from hashlib import sha1, sha256  # loads OpenSSL, which native requests do not need

    signed = message + key.key.encode()
    digest = sha256(signed) if characters == LONG_SIGNATURE else sha1(signed, usedforsecurity=False)
    return urlsafe_b64encode(digest.digest()).decode()[:characters]


def verify(
    claim: SignatureClaim | None, keys: Sequence[DialectKey], now_s: float, expires_s: int | None = None
) -> None:
    """Raise BadSignature if ``claim`` is of none of ``keys``. These URLs have no expiry."""
    verify_claim(
        claim,
        lambda one: (
            sign(one.message, key, size) for key in keys if key.key for size in (SHORT_SIGNATURE, LONG_SIGNATURE)
        ),
        now_s,
        expires_s,
    )


def remove_signature(path: str) -> str:
    """Return ``path`` without its signature. Raises BadKey."""
    return _join(split_path(path))


def insert_signature(path: str, key: DialectKey) -> str:
    """Return ``path`` with the short signature by ``key`` in place of any other. Raises BadKey."""
    parts = split_path(path)
    return _join(parts, f"s--{sign(parts.message.encode(), key)}--")


def _join(parts: Parts, *signature: str) -> str:
    version = (parts.version,) if parts.version else ()
    return parts.before + "/".join((*signature, *parts.transformations, *version, parts.public_id))


# ---------------------------------------------------------------- parsing


def parse(target: str, settings: DialectSettings) -> ParsedUrl:
    """Parse ``target``, the raw path after the dialect's prefix.

    Raises BadKey, BadOption, UnknownOption or DuplicateOption.
    """
    parts = split_path(target.partition("?")[0])
    expected = settings.cloudinary.cloud_name
    if expected and parts.cloud != expected:
        raise BadKey(f"Images of the cloud '{escape_text(parts.cloud)}' are not configured")
    options = CloudinaryOptions()
    for component in parts.transformations:
        _parse_component(decode_text(component, BadOption, BAD_PATH), settings.cloudinary.transformations, options)
    stem, dot, extension = parts.public_id.rpartition(".")
    extension = extension.lower() if stem else ""
    options.output = options.output or FORMATS.get(extension, "")
    is_format = bool(dot) and settings.cloudinary.extension_is_format
    plan = build_valid_plan(settings.sources.resolve(stem if is_format else parts.public_id), convert_options(options))
    message = parts.message.encode("utf-8", "surrogatepass")
    claim = None if parts.signature is None else SignatureClaim(message, parts.signature)
    return ParsedUrl(plan, claim, metadata=options.metadata)


def _parse_component(text: str, named: Mapping[str, str], options: CloudinaryOptions) -> None:
    """Parse one component, which has one effect at most: of several, Cloudinary applies the last one only.

    A named transformation stands for its components and is alone in its own.
    """
    if text.startswith(f"{_NAMED}_") and "," not in text:
        name = text.removeprefix(f"{_NAMED}_")
        if name not in named:
            raise BadOption(
                f"There is no transformation '{escape_text(name)}' in the setting dialects.cloudinary", option=_NAMED
            )
        for component in named[name].split("/"):
            _parse_component(component, {}, options)
        return
    options.resizes.append(Resize())
    given: set[str] = set()
    for option, name, value in _split_component(text):
        once = "e" if option.startswith("e_") else option
        if once in given:
            raise DuplicateOption(f"{escape_text(once)} was given twice", option=escape_text(once))
        given.add(once)
        find_parser(_TABLES[option[: len(option) - len(name)]], option)(options, option, value)


_TABLES: Mapping[str, Mapping[str, OptionMapping[OptionParser]]] = {"": PARAMETERS, "e_": EFFECTS, "fl_": FLAGS}
"""By the part of an option's name before that of the effect or flag."""


def _split_component(text: str) -> Iterator[tuple[str, str, str]]:
    """Return options, such as ``e_blur`` and ``w``, their names without a prefix, and their values."""
    for part in text.split(","):
        if part.startswith("$"):
            raise bad_option("$", "is not supported: there are no variables")
        match = _NAME.fullmatch(part)
        if match is None:
            raise bad_option(escape_text(part), "is not an option with a value")
        name, value = match[1], match[2]
        if name == "e":
            effect, _, argument = value.partition(":")
            yield f"e_{effect}", effect, argument
        elif name == "fl":
            for flag in value.split("."):
                word, _, argument = flag.partition(":")
                yield f"fl_{word}", word, argument
        else:
            yield name, name, value


def check_transformation(text: str) -> None:
    """Check a named transformation. Raises BadOption, UnknownOption or DuplicateOption."""
    options = CloudinaryOptions()
    for component in text.split("/"):
        _parse_component(component, {}, options)
    convert_options(options)
