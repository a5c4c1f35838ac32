"""Parse DICOMweb requests (PS3.18): paths, queries, and the accepted media types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from darkroom.errors import BadOption, SourceMissing, TypeNotAllowed
from darkroom.http.query import parse_parameters

from .render import DEFAULT_QUALITY, JPEG, MAX_VIEWPORT_PX, PNG, Appearance, Region
from .voi import LINEAR, Window

BASE = "/dicomweb"
PARAMETERS = ("window", "preset", "viewport", "quality", "overlays", "accept", "exp", "s")
MAX_QUERY_CHARACTERS = 512
_UID = r"2\.25\.[0-9]{1,39}"
_FRAME = r"/frames/(?P<frame>[1-9][0-9]{0,4})(?P<rendered>/rendered)?"
_INSTANCE = rf"/instances(?:/(?P<instance>{_UID})(?:/(?P<what>metadata|rendered)|{_FRAME}))?"
_SERIES = rf"/(?P<series>{_UID})(?:/(?P<metadata>metadata)|{_INSTANCE})"
_PATH = re.compile(rf"{BASE}/studies/(?P<study>{_UID})/series(?:{_SERIES})?")
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{1,9})?([eE][+-]?[0-9]{1,2})?")


class Resource(NamedTuple):
    """What a path names. ``frame`` is 0 without one.

    ``kind`` is ``series`` (all of a study), ``instances`` (all of a series), ``metadata``, ``rendered`` or ``frame``.
    """

    kind: str
    study: str
    series: str = ""
    instance: str = ""
    frame: int = 0


def parse_path(path: str) -> Resource:
    """Parse a path; raises SourceMissing for one that is no resource."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise SourceMissing("The path is no resource of DICOMweb that is served here")
    parts = found.groupdict()
    names = (parts["study"], parts["series"] or "", parts["instance"] or "")
    if parts["frame"]:
        return Resource("rendered" if parts["rendered"] else "frame", *names, int(parts["frame"]))
    if parts["what"] or parts["metadata"]:
        return Resource(parts["what"] or "metadata", *names)
    return Resource("instances" if parts["series"] else "series", *names)


def parse_query(query: str) -> dict[str, str]:
    """Return parameters by name; raises BadOption, UnknownOption or DuplicateOption."""
    return parse_parameters(query, PARAMETERS, MAX_QUERY_CHARACTERS)


def parse_appearance(values: Mapping[str, str], accept: str) -> Appearance:
    """Return how a page is rendered; raises BadOption, or TypeNotAllowed if no accepted type is rendered."""
    viewport, region = _parse_viewport(values.get("viewport"))
    return Appearance(
        media_type=choose_media_type(values.get("accept") or accept),
        voi=_parse_window(values.get("window")),
        preset=_parse_whole(values, "preset", 0, 99),
        viewport=viewport,
        region=region,
        quality=_parse_whole(values, "quality", DEFAULT_QUALITY, 100),
        overlays=_parse_switch(values, "overlays"),
    )


def choose_media_type(accept: str) -> str:
    """Return the first of JPEG and PNG with the highest weight in an Accept header; raises TypeNotAllowed."""
    best, chosen = 0.0, ""
    for one in accept.split(",") if accept.strip() else [JPEG]:
        name, *parameters = (part.strip().lower() for part in one.split(";"))
        weight = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        number = float(weight) if re.fullmatch(r"[01](\.[0-9]{0,3})?", weight) else 0.0
        media_type = {JPEG: JPEG, "image/jpg": JPEG, PNG: PNG, "image/*": JPEG, "*/*": JPEG}.get(name, "")
        if media_type and number > best:
            best, chosen = number, media_type
    if not chosen:
        raise TypeNotAllowed(f"Images are rendered as {JPEG} or {PNG}")
    return chosen


def _parse_window(text: str | None) -> Window | None:
    """Parse ``center,width`` or ``center,width,function`` (PS3.18, 8.3.5.1.4)."""
    if text is None:
        return None
    center, width, function = [*text.split(","), LINEAR, ""][:3]
    if text.count(",") > 2 or not (_NUMBER.fullmatch(center) and _NUMBER.fullmatch(width)):
        raise BadOption("window is center,width or center,width,function", option="window")
    return Window(float(center), float(width), function.upper().replace("-", "_"))


def _parse_viewport(text: str | None) -> tuple[tuple[int, int] | None, Region | None]:
    """Parse ``width,height`` or ``width,height,left,top,width,height`` (PS3.18, 8.3.5.1.3)."""
    if text is None:
        return None, None
    parts = text.split(",")
    if len(parts) not in (2, 6) or not all(re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,4})?", part) for part in parts):
        raise BadOption("viewport is width,height, or these and left,top,width,height of a region", option="viewport")
    numbers = list(map(float, parts))
    box = (int(numbers[0]), int(numbers[1]))
    if not all(1 <= side <= MAX_VIEWPORT_PX for side in box):
        raise BadOption(f"viewport has sides from 1 to {MAX_VIEWPORT_PX}", option="viewport")
    return box, Region(*numbers[2:]) if len(parts) == 6 else None


def _parse_whole(values: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = values.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= most:
        raise BadOption(f"{name} is a whole number from 1 to {most}", option=name)
    return int(text)


def _parse_switch(values: Mapping[str, str], name: str) -> bool:
    text = values.get(name, "off")
    if text not in ("on", "off"):
        raise BadOption(f"{name} is on or off", option=name)
    return text == "on"
