"""The Basic Application Level Confidentiality Profile (PS3.15, annex E).

``profile.tsv`` is table E.1-1. Private attributes and curves are removed as well. An attribute may be what identifies a
patient without being in the table, so that only attributes of :data:`KEPT` remain in a stored document, with values
that have no free text.

The VR of an attribute is that of the standard's data dictionary (PS3.6). The file states one, too, which its writer
has chosen: an attribute with another one is removed, since it would be treated as what it is not.
"""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

DUMMIES: Mapping[str, Any] = {
    "DA": "19000101",
    "TM": "000000",
    "DT": "19000101000000",
    "AS": "000Y",
    "IS": "0",
    "DS": "0",
    **dict.fromkeys(("PN", "LO", "SH", "ST", "LT", "UT", "UC", "CS", "AE"), "ANONYMOUS"),
    "UR": "urn:none",
    **dict.fromkeys(("US", "SS", "UL", "SL", "UV", "SV"), 0),
    **dict.fromkeys(("FL", "FD"), 0.0),
    **dict.fromkeys(("OB", "OW", "UN"), b"\0\0"),
}
"""Values in place of those with action D, by VR. Sequences are emptied, UIDs replaced."""

_PATTERN_TAG = re.compile(r"[0-9A-F]{2,4}x{2,6}[0-9A-F]{0,4}")


@cache
def load_profile() -> Mapping[str, str]:
    """Return the actions by tag, such as ``00100010``, or by a pattern with ``x``, such as ``60xx3000``."""
    text = (files(__package__) / "profile.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {tag: action for tag, action, _ in rows}


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    patterned = ((tag, action) for tag, action in load_profile().items() if _PATTERN_TAG.fullmatch(tag))
    return tuple((re.compile(tag.replace("x", "[0-9A-F]")), action) for tag, action in patterned)


def find_action(tag: int) -> str:
    """Return the action for ``tag``: X, Z, D, U, alternatives such as X/Z/D, or "" to keep it."""
    if tag >> 16 & 1:
        return "X"
    name = f"{tag:08X}"
    if action := load_profile().get(name):
        return action
    return next((action for pattern, action in _patterns() if pattern.fullmatch(name)), "")


def apply_profile(dataset: Any, replace_uid: Callable[[str], str]) -> None:
    """Remove, empty or replace the attributes of a pydicom data set in place, and of the items in its sequences.

    Of alternatives the first one is taken, since the result is no IOD that would require another. Attributes that the
    dictionary does not know, or knows with another VR, are removed.
    """
    for element in list(dataset):
        action = find_action(int(element.tag))
        if action.startswith("X") or not has_standard_vr(element):
            del dataset[element.tag]
        elif element.VR == "UI":
            element.value = _replace_uids(element.value, replace_uid, keeps_known=not action)
        elif action.startswith("Z"):
            element.value = [] if element.VR == "SQ" else None
        elif action.startswith("D"):
            element.value = [] if element.VR == "SQ" else DUMMIES.get(element.VR)
        elif element.VR == "SQ":
            for item in element.value:
                apply_profile(item, replace_uid)


def has_standard_vr(element: Any) -> bool:
    """Return whether the file gives an attribute the VR of the dictionary, or one of its alternatives."""
    from pydicom.datadict import dictionary_VR

    try:
        known = str(dictionary_VR(element.tag))
    except KeyError:
        return False
    return str(element.VR) in (known, *known.split(" or "))


def _replace_uids(value: Any, replace_uid: Callable[[str], str], *, keeps_known: bool) -> Any:
    """Return UIDs in place of those in ``value``, but for those that the standard has registered (PS3.6, annex A)."""
    from pydicom.uid import UID_dictionary

    if isinstance(value, str):
        return value if not value or (keeps_known and value in UID_dictionary) else replace_uid(value)
    return [_replace_uids(one, replace_uid, keeps_known=keeps_known) for one in value or ()]


_WORD = re.compile(r"\w+")
_IMAGE_TYPES = frozenset(
    _WORD.findall("ORIGINAL DERIVED PRIMARY SECONDARY AXIAL LOCALIZER MPR OTHER VOLUME RESAMPLED M SE")
)
_MODALITIES = frozenset(
    _WORD.findall(
        "AR BI BMD CR CT DG DX ECG EPS ES GM HC HD IO IVOCT IVUS KER LEN LS MG MR NM OAM OCT OP OPM"
        " OPT OSS OT PT PX RF RG RTDOSE RTIMAGE SC SEG SM SRF TG US VA XA XC"
    )
)
"""Defined terms of Modality (PS3.3, C.7.3.1.1.1) that images have."""


def _is_number(text: str) -> bool:
    return re.fullmatch(r" *[+-]?[0-9.]{1,14}([eE][+-]?[0-9]{1,3})? *", text) is not None and _is_finite(text)


def _is_finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _is_uid(text: str) -> bool:
    return re.fullmatch(r"[0-9.]{1,64}", text) is not None


def is_sop_class(text: str) -> bool:
    """Return whether ``text`` is a SOP class of the standard (PS3.6, table A-1): a private one may name its maker."""
    from pydicom.uid import UID_dictionary

    return bool(UID_dictionary.get(text.strip("\0 "), ("", ""))[1] == "SOP Class")


def _one_of(*allowed: str) -> Callable[[str], bool]:
    return frozenset(allowed).__contains__


SOP_CLASS = 0x00080016
"""The only UID of a stored document that is not replaced."""

KEPT: Mapping[int, Callable[[str], bool]] = {
    0x00080008: _IMAGE_TYPES.__contains__,
    SOP_CLASS: is_sop_class,
    0x00080018: _is_uid,  # SOP instance
    0x00080060: _MODALITIES.__contains__,
    0x0020000D: _is_uid,  # study
    0x0020000E: _is_uid,  # series
    0x00200011: _is_number,  # series number
    0x00200012: _is_number,  # acquisition number
    0x00200013: _is_number,  # instance number
    0x00200032: _is_number,  # position
    0x00200037: _is_number,  # orientation
    0x00200052: _is_uid,  # frame of reference
    0x00200060: _one_of("L", "R"),
    0x00200062: _one_of("L", "R", "U", "B"),
    0x00201041: _is_number,  # slice location
    0x00180050: _is_number,  # slice thickness
    0x00180088: _is_number,  # spacing between slices
    0x00181063: _is_number,  # frame time
    0x00181164: _is_number,  # imager pixel spacing
    0x00185100: _one_of("HFP", "HFS", "HFDR", "HFDL", "FFDR", "FFDL", "FFP", "FFS", "LFP", "LFS", "RFP", "RFS"),
    0x00185101: _one_of("AP", "PA", "LL", "RL", "RLD", "LLD", "RLO", "LLO", "CC", "MLO", "ML", "LM"),
    0x00280030: _is_number,  # pixel spacing
    0x00280034: _is_number,  # pixel aspect ratio
    0x00282110: _one_of("00", "01"),
    0x00282112: _is_number,  # lossy image compression ratio
}
"""Attributes of the stored metadata, with the check of each value. Those about pixels are those of the master."""


def select_kept(dataset: Any) -> dict[str, dict[str, object]]:
    """Return the kept attributes of a data set in the DICOM JSON model (PS3.18, F). Values that fail are left out."""
    return dict(_select(dataset))


def _select(dataset: Any) -> Iterator[tuple[str, dict[str, object]]]:
    for tag, is_allowed in KEPT.items():
        element = dataset.get(tag)
        if element is None or element.value is None or not has_standard_vr(element):
            continue
        value = element.value
        values = [value] if isinstance(value, str | int | float) else list(value)
        if values and len(values) <= 16 and all(is_allowed(str(one)) for one in values):
            numeric = element.VR in ("DS", "IS", "FD", "FL", "US", "SS")
            shown = [_to_number(str(one)) if numeric else str(one) for one in values]
            yield f"{tag:08X}", {"vr": element.VR, "Value": shown}


def _to_number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
