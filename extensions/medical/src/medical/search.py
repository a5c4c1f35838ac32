"""Searches (QIDO-RS, PS3.18, 10.6): their queries, which documents match, and which attributes a result has.

Documents have no patient data. A search by an attribute that was removed, such as Patient's Name, therefore finds
nothing, and finds everything with the value ``*``, as viewers send it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote_plus

from darkroom.errors import BadOption, DuplicateOption, UnknownOption

from .metadata import Document

MAX_QUERY_CHARACTERS = 4096
MAX_OFFSET = 1_000_000
DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
"""Studies of one response. Series and instances of a study have no default limit."""

STUDY, SERIES, INSTANCE, MODALITIES = "0020000D", "0020000E", "00080018", "00080061"

KEYWORDS: Mapping[str, str] = {
    "StudyInstanceUID": STUDY,
    "SeriesInstanceUID": SERIES,
    "SOPInstanceUID": INSTANCE,
    "SOPClassUID": "00080016",
    "Modality": "00080060",
    "ModalitiesInStudy": MODALITIES,
    "SeriesNumber": "00200011",
    "InstanceNumber": "00200013",
    "NumberOfFrames": "00280008",
    "Rows": "00280010",
    "Columns": "00280011",
    "FrameOfReferenceUID": "00200052",
    "ImageType": "00080008",
    "Laterality": "00200060",
    "ImageLaterality": "00200062",
    "PatientPosition": "00185100",
    "ViewPosition": "00185101",
    "StudyDate": "00080020",
    "StudyTime": "00080030",
    "SeriesDate": "00080021",
    "SeriesTime": "00080031",
    "AccessionNumber": "00080050",
    "InstanceAvailability": "00080056",
    "ReferringPhysicianName": "00080090",
    "InstitutionName": "00080080",
    "StudyDescription": "00081030",
    "SeriesDescription": "0008103E",
    "PatientName": "00100010",
    "PatientID": "00100020",
    "IssuerOfPatientID": "00100021",
    "PatientBirthDate": "00100030",
    "PatientSex": "00100040",
    "BodyPartExamined": "00180015",
    "StudyID": "00200010",
    "PerformedProcedureStepStartDate": "00400244",
    "PerformedProcedureStepStartTime": "00400245",
    "NumberOfStudyRelatedSeries": "00201206",
    "NumberOfStudyRelatedInstances": "00201208",
    "NumberOfSeriesRelatedInstances": "00201209",
}
"""Tags by keyword (PS3.6): those of PS3.18, tables 10.6.3, and those that documents have. Others are given as tags."""

_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_OF_ACCESS = ("exp", "s", "accept")


class Search(NamedTuple):
    """A parsed query. ``filters`` are values by tag, ``includes`` further tags, ``access`` what a signature needs.

    ``limit`` is 0 for all results.
    """

    filters: Mapping[str, str] = {}
    includes: frozenset[str] = frozenset()
    includes_all: bool = False
    limit: int = 0
    offset: int = 0
    access: Mapping[str, str] = {}

    def names(self, tag: str) -> list[str]:
        """Return the UIDs that the results are limited to by ``tag``; none without such a filter."""
        return [] if self.filters.get(tag, "*") in ("", "*") else re.split(r"[,\\]", self.filters[tag])

    def only_filters(self, *tags: str) -> bool:
        """Return whether no filter is by another tag."""
        return all(tag in tags or value in ("", "*") for tag, value in self.filters.items())

    def matches(self, document: Document) -> bool:
        """Return whether a document matches all filters (PS3.18, 8.3.4)."""
        return all(_matches(document.get(tag), wanted) for tag, wanted in self.filters.items())

    def page[Result](self, results: Sequence[Result]) -> list[Result]:
        """Return the results from the offset on, up to the limit."""
        return list(results[self.offset : self.offset + self.limit if self.limit else None])

    def select(self, summary: Document, full: Document) -> Document:
        """Return ``summary`` with the further attributes that are asked for."""
        more = full if self.includes_all else {tag: full[tag] for tag in self.includes & full.keys()}
        return dict(sorted((more | summary).items()))


def parse_search(query: str) -> Search:
    """Parse the query of a search; raises BadOption, UnknownOption or DuplicateOption."""
    if len(query) > MAX_QUERY_CHARACTERS:
        raise BadOption(f"The query is longer than {MAX_QUERY_CHARACTERS} characters")
    filters: dict[str, str] = {}
    fields: list[str] = []
    values: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        name, _, text = pair.partition("=")
        value = unquote_plus(text)
        if name == "includefield":
            fields += [one for one in value.split(",") if one]
            continue
        target, known = (values, name) if name in _PARAMETERS else (filters, find_tag(name))
        if known in target:
            raise DuplicateOption(f"{name[:40]} is given twice", option=name[:40])
        target[known] = value
    for name, check in _PARAMETERS.items():
        if name in values and not check(values[name]):
            raise BadOption(f"{name} has no such value", option=name)
    return Search(
        filters=filters,
        includes=frozenset(KEYWORDS.get(one, one.upper()) for one in fields),
        includes_all="all" in fields,
        limit=int(values.get("limit", 0)),
        offset=int(values.get("offset", 0)),
        access={name: values[name] for name in _OF_ACCESS if name in values},
    )


def find_tag(name: str) -> str:
    """Return the tag of an attribute by keyword or tag; raises UnknownOption."""
    if name in KEYWORDS:
        return KEYWORDS[name]
    if _TAG.fullmatch(name) is None:
        raise UnknownOption(f"{name[:40]!r} is no parameter and no attribute; give its tag", option=name[:40])
    return name.upper()


def _is_whole(most: int) -> Callable[[str], bool]:
    return lambda text: re.fullmatch(r"[0-9]{1,7}", text) is not None and int(text) <= most


_PARAMETERS: Mapping[str, Callable[[str], bool]] = {
    "limit": _is_whole(MAX_OFFSET),
    "offset": _is_whole(MAX_OFFSET),
    "fuzzymatching": ("true", "false").__contains__,
    **dict.fromkeys(_OF_ACCESS, lambda _: True),
}
"""Parameters that are no attributes, with the check of their values. No document has a name that is matched fuzzily."""


def _matches(element: object, wanted: str) -> bool:
    if wanted in ("", "*"):
        return True
    values = element.get("Value", ()) if isinstance(element, Mapping) else ()
    patterns = [_compile(one) for one in re.split(r"[,\\]", wanted)]
    return any(pattern.fullmatch(str(value)) for value in values for pattern in patterns)


def _compile(wanted: str) -> re.Pattern[str]:
    """Return the pattern of a value: ``*`` is any text, ``?`` any character (PS3.4, C.2.2.2.4)."""
    return re.compile("".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in wanted), re.DOTALL)
