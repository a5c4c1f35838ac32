"""Parse DICOMweb requests (PS3.18): paths, queries, and the accepted media types."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from darkroom.errors import BadOption, NotAcceptable, SourceMissing
from darkroom.http.query import parse_parameters

from .appearance import DEFAULT_QUALITY, JPEG, MAX_VIEWPORT_PX, PNG, Appearance, Region
from .window import LINEAR, Window

BASE = "/dicomweb"
PARAMETERS = ("window", "preset", "viewport", "quality", "overlays", "accept", "exp", "s")
MAX_QUERY_CHARACTERS = 512
DICOM_JSON, MULTIPART, OCTETS = "application/dicom+json", "multipart/related", "application/octet-stream"
EXPLICIT = "1.2.840.10008.1.2.1"
"""Transfer syntax of frames: explicit VR, little endian."""

_UID = r"2\.25\.[0-9]{1,39}"
MAX_FRAMES = 100
"""Of one list of frames."""

_FRAMES = r"/frames/(?P<frames>[1-9][0-9]{0,4}(?:,[1-9][0-9]{0,4})*)(?P<rendered>/rendered)?"
_INSTANCE = rf"/instances(?:/(?P<instance>{_UID})(?:/(?P<what>metadata|rendered)|{_FRAMES}))?"
_SERIES = rf"/series(?:/(?P<series>{_UID})(?:/(?P<metadata>metadata)|{_INSTANCE}))?"
_STUDY = rf"/(?P<study>{_UID})(?:/(?P<of_study>metadata|instances)|{_SERIES})"
_PATH = re.compile(rf"{BASE}/studies(?:{_STUDY})?")
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{1,9})?([eE][+-]?[0-9]{1,2})?")


class Resource(NamedTuple):
    """What a path names. ``study`` is "" for all, ``frames`` are empty without one.

    ``kind`` is ``studies``, ``series`` (all of a study), ``instances`` (all of a study or series), ``metadata``,
    ``rendered`` or ``frames``. The first three are searches.
    """

    kind: str
    study: str
    series: str = ""
    instance: str = ""
    frames: tuple[int, ...] = ()

    @property
    def is_search(self) -> bool:
        """Whether the query is one of a search."""
        return self.kind in ("studies", "series", "instances")


def parse_path(path: str) -> Resource:
    """Parse a path; raises SourceMissing for one that is no resource, BadOption for too many frames."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise SourceMissing("The path is no resource of DICOMweb that is served here")
    parts = found.groupdict()
    if parts["study"] is None:
        return Resource("studies", "")
    names = (parts["study"], parts["series"] or "", parts["instance"] or "")
    if parts["frames"]:
        frames = tuple(map(int, parts["frames"].split(",")))
        if len(frames) > (1 if parts["rendered"] else MAX_FRAMES):
            raise BadOption(f"At most {MAX_FRAMES} frames are sent at once, and one rendered frame", option="frames")
        return Resource("rendered" if parts["rendered"] else "frames", *names, frames)
    if found_kind := parts["of_study"] or parts["what"] or parts["metadata"]:
        return Resource(found_kind, *names)
    return Resource("instances" if parts["series"] else "series", *names)


def is_uid(text: str) -> bool:
    """Return whether ``text`` is a UID that paths may have."""
    return re.fullmatch(_UID, text) is not None


def parse_query(query: str) -> dict[str, str]:
    """Return parameters by name; raises BadOption, UnknownOption or DuplicateOption."""
    return parse_parameters(query, PARAMETERS, MAX_QUERY_CHARACTERS)


def parse_appearance(values: Mapping[str, str], accept: str) -> Appearance:
    """Return how a page is rendered; raises BadOption, or NotAcceptable if no accepted type is rendered."""
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
    """Return the first of JPEG and PNG with the highest weight in an Accept header; raises NotAcceptable."""
    known = {JPEG: JPEG, "image/jpg": JPEG, PNG: PNG, "image/*": JPEG, "*/*": JPEG}
    return _choose(accept, lambda name, _: known.get(name, ""), JPEG, f"Images are rendered as {JPEG} or {PNG}")


def choose_json(accept: str) -> str:
    """Return the media type of metadata and results of searches; raises NotAcceptable."""
    known = {DICOM_JSON: DICOM_JSON, "application/json": "application/json", "application/*": DICOM_JSON}
    known["*/*"] = DICOM_JSON
    return _choose(accept, lambda name, _: known.get(name, ""), DICOM_JSON, f"Metadata are sent as {DICOM_JSON}")


def choose_frames(accept: str) -> str:
    """Return ``multipart/related``, or the media type of a single frame; raises NotAcceptable.

    Frames are numbers in explicit VR, little endian, whatever the syntax of the upload was.
    """

    def find(name: str, parameters: Mapping[str, str]) -> str:
        if parameters.get("transfer-syntax", "*") not in ("*", EXPLICIT):
            return ""
        if name == OCTETS:
            return OCTETS
        inner = parameters.get("type", OCTETS)
        return MULTIPART if name in (MULTIPART, "multipart/*", "*/*") and inner in (OCTETS, "*/*") else ""

    sent = f'{MULTIPART}; type="{OCTETS}"; transfer-syntax={EXPLICIT}'
    return _choose(accept, find, MULTIPART, f"Frames are sent as {sent}")


def _choose(accept: str, find: Callable[[str, Mapping[str, str]], str], default: str, refusal: str) -> str:
    """Return what ``find`` returns for the range with the highest weight, of these the first."""
    best, chosen = 0.0, ""
    for one in accept.split(",") if accept.strip() else ["*/*"]:
        name, *pairs = (part.strip() for part in one.split(";"))
        parameters = {
            key.strip().lower(): value.strip().strip('"') for key, _, value in (p.partition("=") for p in pairs)
        }
        weight = parameters.get("q", "1")
        number = float(weight) if re.fullmatch(r"[01](\.[0-9]{0,3})?", weight) else 0.0
        found = default if name == "*/*" else find(name.lower(), parameters)
        if found and number > best:
            best, chosen = number, found
    if not chosen:
        raise NotAcceptable(refusal)
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
