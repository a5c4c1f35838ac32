"""The properties that are kept of a block of metadata."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

MAX_CHARACTERS = 500
"""Of any text that is kept."""
_TIMESTAMP = re.compile(
    r"(\d{4})[-:/.]?(\d\d)[-:/.]?(\d\d)(?:[ T]?(\d\d):?(\d\d)(?::?(\d\d)(?:\.(\d{1,9}))?)?\s*(Z|[-+]\d\d:?\d\d)?)?",
    re.ASCII,
)
_URL = re.compile(r"https?://[^\s<>\"\\^`{|}]+")
_SOURCE_TYPE = re.compile(r"(?:https?://cv\.iptc\.org/newscodes/digitalsourcetype/)?([A-Za-z]{1,60})", re.ASCII)
_ZONE = re.compile(r"([-+])([01]\d|2[0-3]):?([0-5]\d)", re.ASCII)
_FRACTION = re.compile(r"\d{1,9}", re.ASCII)


class GpsLocation(NamedTuple):
    """Where an image was captured: degrees north and east (WGS 84), and metres above the sea where that is known."""

    latitude: float
    longitude: float
    altitude: float | None = None


@dataclass(frozen=True, slots=True)
class ImageMetadata:
    """Properties of one block, empty if missing. ``digitised_at`` stands in where no block has ``captured_at``.

    ``licence_url`` is the page of the terms of use, ``licensor`` the name of who grants it, ``licensor_url`` the page
    to get it. ``digital_source_type`` is a code of the IPTC NewsCodes. ``manifest_url`` is where Content Credentials
    are that the file does not hold. ``alt_text`` and ``extended_description`` are for people who do not see the image.
    """

    captured_at: str = ""
    digitised_at: str = ""
    camera: str = ""
    lens: str = ""
    creator: str = ""
    copyright: str = ""
    credit: str = ""
    licence_url: str = ""
    licensor: str = ""
    licensor_url: str = ""
    digital_source_type: str = ""
    title: str = ""
    alt_text: str = ""
    extended_description: str = ""
    manifest_url: str = ""
    location: GpsLocation | None = None


EMPTY = ImageMetadata()


def clean_text(parts: str | Iterable[str]) -> str:
    """One line of printable text, cut to :data:`MAX_CHARACTERS`; several parts with "; " between."""
    lines = [parts] if isinstance(parts, str) else parts
    printable = ("".join(mark if mark.isprintable() else " " for mark in line) for line in lines)
    distinct = dict.fromkeys(" ".join(line.split()) for line in printable)
    return "; ".join(filter(None, distinct))[:MAX_CHARACTERS].strip()


def clean_url(text: str) -> str:
    """A web address of at most :data:`MAX_CHARACTERS` printable characters; empty if it is anything else."""
    address = text.strip()
    return address if len(address) <= MAX_CHARACTERS and address.isprintable() and _URL.fullmatch(address) else ""


def parse_source_type(text: str) -> str:
    """The code of a digital source type, such as ``trainedAlgorithmicMedia``; empty if it is not an IPTC NewsCode."""
    found = _SOURCE_TYPE.fullmatch(text.strip())
    return found[1] if found else ""


def join_make_and_model(make: str, model: str) -> str:
    """Join make and model without repeating the make: "NIKON CORPORATION" and "NIKON D80" are a NIKON D80."""
    make, model = clean_text(make), clean_text(model)
    if make and model.lower().startswith(make.split()[0].lower()):
        return model
    return clean_text(f"{make} {model}")


def parse_timestamp(text: str, *, subseconds: str = "", offset: str = "") -> str:
    """A date, or a date and a time, in ISO 8601 as precise as the source; empty if there is no such moment.

    ``subseconds`` and ``offset`` add what EXIF has in tags of their own.
    """
    found = _TIMESTAMP.fullmatch(text.strip())
    if found is None:
        return ""
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    numbers = [int(part) for part in (year, month, day, hour, minute, second) if part is not None]
    try:
        datetime(*numbers)  # type: ignore[arg-type]
    except ValueError:
        return ""
    if hour is None:
        return f"{year}-{month}-{day}"
    fraction = fraction or subseconds.strip()
    exact = f".{fraction}" if second and _FRACTION.fullmatch(fraction) else ""
    return f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}{exact}{_zone(zone or offset.strip())}"


def _zone(text: str) -> str:
    found = _ZONE.fullmatch(text)
    return f"{found[1]}{found[2]}:{found[3]}" if found else "Z" if text == "Z" else ""


def build_location(latitude: float | None, longitude: float | None, altitude: float | None) -> GpsLocation | None:
    """The place, if it is on Earth; receivers without a fix write 0, 0."""
    if latitude is None or longitude is None or not abs(latitude) <= 90 or not abs(longitude) <= 180:
        return None
    if latitude == longitude == 0:
        return None
    known = altitude is not None and abs(altitude) <= 100_000
    return GpsLocation(
        round(latitude, 7), round(longitude, 7), round(altitude, 2) if known and altitude is not None else None
    )
