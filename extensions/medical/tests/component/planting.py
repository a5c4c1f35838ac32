"""Fill data sets with values that can be searched for afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from medical.profile import load_profile

TEXT_VRS = ("PN", "LO", "SH", "ST", "LT", "UT", "UC", "CS", "AE", "UR")


def planted_value(vr: str, number: int) -> tuple[Any, str]:
    """Return a value of ``vr`` that no other tag has, and the text to search for."""
    mark = f"PLANT{number:05d}"
    if vr in TEXT_VRS:
        return mark, mark
    if vr == "UI":
        return f"1.2.3.{900_000_000 + number}", str(900_000_000 + number)
    if vr == "DA":
        text = f"{1900 + number % 90}{1 + number % 12:02}{1 + number % 28:02}"
        return text, text
    if vr == "TM":
        text = f"{number % 24:02}{number % 60:02}{number % 59:02}.{number:06d}"
        return text, text
    if vr == "DT":
        text = f"{1900 + number % 90}{1 + number % 12:02}{1 + number % 28:02}101010.{number:06d}"
        return text, text
    if vr == "AS":
        return f"{number % 1000:03d}Y", f"{number % 1000:03d}Y"
    if vr in ("DS", "IS"):
        return str(70_000_000 + number), str(70_000_000 + number)
    if vr in ("US", "SS", "UL", "SL"):
        return 60_000 - number if vr in ("US", "UL") else 30_000 - number, ""
    if vr in ("OB", "OW", "UN"):
        return mark.encode() + b" " * (len(mark) % 2), mark
    raise AssertionError(vr)


def list_tags() -> Iterator[tuple[int, str]]:
    """Yield the tags of the table with their actions; the first group of repeating ones."""
    for tag, action in load_profile().items():
        yield int(tag.replace("50xxxxxx", "50003000").replace("60xx", "6000"), 16), action


def find_vr(tag: int) -> str:
    """Return the VR of a tag; LO for one that pydicom does not know yet."""
    try:
        return str(dictionary_VR(tag)).split(" or ")[0]
    except KeyError:
        return "LO"


def plant(tag: int, number: int) -> tuple[DataElement, str]:
    """Return an element with a planted value; for a sequence within an item of it."""
    vr = find_vr(tag)
    if vr == "SQ":
        item = Dataset()
        value, text = planted_value("LO", number)
        item.add_new(0x00081030, "LO", value)  # a description, which the table has too
        item.add_new(0x00090010, "LO", "CREATOR")
        item.add_new(0x00091001, "LO", value)
        item.add_new(0x00280A01, "LO", value)  # of no table
        return DataElement(tag, "SQ", Sequence([item])), text
    value, text = planted_value(vr, number)
    return DataElement(tag, vr, value), text
