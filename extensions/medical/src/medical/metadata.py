"""The metadata of instances in the DICOM JSON model (PS3.18, annex F), as viewers need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .instance import Instance, Scale
from .window import Window

type Document = dict[str, Any]

PROFILE_CODE, CLEAN_PIXELS_CODE = "113100", "113101"
"""Codes of what was done (PS3.16, CID 7050)."""


def describe_instance(instance: Instance) -> Document:
    """Return the attributes of an instance: those that were kept, and those of its pages as they are served."""
    found: Document = {**instance.metadata, **_describe_identity(instance), **_describe_pixels(instance)}
    found |= _describe_method(searched="00280301" in found)
    return dict(sorted(found.items()))


def summarise_instance(instance: Instance) -> Document:
    """Return what a search for instances returns (PS3.18, table 10.6.3-5)."""
    tags = ("00080016", "00080018", "0020000D", "0020000E", "00200013", "00280008", "00280010", "00280011", "00280100")
    full = describe_instance(instance)
    return {tag: full[tag] for tag in tags if tag in full}


_REMOVED = {"00080020": "DA", "00080030": "TM", "00080050": "SH", "00080090": "PN", "00100010": "PN", "00100020": "LO"}
"""Attributes that a search for studies returns without a value: date, time, accession number, physician, patient."""


def summarise_study(series: Sequence[Instance], count: int) -> Document:
    """Return what a search for studies returns (PS3.18, table 10.6.3-3), of one instance of each series.

    ``count`` is the number of instances. What was removed of the patient is empty.
    """
    modalities = {value for one in series for value in one.metadata.get("00080060", {}).get("Value", ())}
    found: Document = {tag: {"vr": vr} for tag, vr in _REMOVED.items()}
    found["00080061"] = {"vr": "CS", "Value": sorted(modalities)}
    found["0020000D"] = _value("UI", series[0].study)
    return found | {"00201206": _value("IS", len(series)), "00201208": _value("IS", count)}


def summarise_series(instance: Instance, count: int) -> Document:
    """Return what a search for series returns (PS3.18, table 10.6.3-4), of one of its ``count`` instances."""
    full = describe_instance(instance)
    tags = ("00080060", "0020000D", "0020000E", "00200011")
    return {tag: full[tag] for tag in tags if tag in full} | {"00201209": _value("IS", count)}


_OF_SERIES = ("00080060", "0020000D", "0020000E", "00200011", "00200052", "00200060", "00185100")


def describe_series(instance: Instance) -> Document:
    """Return the attributes of the series of ``instance``: those that its instances share."""
    full = describe_instance(instance)
    return {tag: full[tag] for tag in _OF_SERIES if tag in full}


def _describe_identity(instance: Instance) -> Document:
    return {
        "00080018": _value("UI", instance.instance),
        "0020000D": _value("UI", instance.study),
        "0020000E": _value("UI", instance.series),
    }


def _describe_pixels(instance: Instance) -> Document:
    bits = 8 if instance.colour else 16
    grey = "MONOCHROME1" if instance.inverted else "MONOCHROME2"
    found = {
        "00280002": _value("US", 3 if instance.colour else 1),
        "00280004": _value("CS", "RGB" if instance.colour else grey),
        "00280008": _value("IS", instance.pages),
        "00280010": _value("US", instance.height),
        "00280011": _value("US", instance.width),
        "00280100": _value("US", bits),
        "00280101": _value("US", bits),
        "00280102": _value("US", bits - 1),
        "00280103": _value("US", 0),
    }
    if instance.colour:
        return found | {"00280006": _value("US", 0)}
    if len(instance.scales) == 1:
        found |= _describe_scale(instance.scales[0])
    else:
        groups = [{"00289145": {"vr": "SQ", "Value": [_describe_scale(scale)]}} for scale in instance.scales]
        found["52009230"] = {"vr": "SQ", "Value": groups}
    windows = [one for one in instance.page_presets(1) if isinstance(one, Window)]
    if windows:
        found["00281050"] = {"vr": "DS", "Value": [window.center for window in windows]}
        found["00281051"] = {"vr": "DS", "Value": [window.width for window in windows]}
        found["00281056"] = _value("CS", windows[0].function)
    return found


def _describe_scale(scale: Scale) -> Document:
    return {
        "00281052": _value("DS", scale.intercept),
        "00281053": _value("DS", scale.slope),
        "00281054": _value("LO", "US"),
    }


def _describe_method(*, searched: bool) -> Document:
    names = {PROFILE_CODE: "Basic Application Confidentiality Profile"}
    if searched:
        names[CLEAN_PIXELS_CODE] = "Clean Pixel Data Option"
    codes = [
        {"00080100": _value("SH", code), "00080102": _value("SH", "DCM"), "00080104": _value("LO", name)}
        for code, name in names.items()
    ]
    return {"00120062": _value("CS", "YES"), "00120064": {"vr": "SQ", "Value": codes}}


def _value(vr: str, value: object) -> Mapping[str, object]:
    return {"vr": vr, "Value": [value]}
