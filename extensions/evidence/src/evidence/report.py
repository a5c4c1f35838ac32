"""The report about one image: each measure with its value, its meaning and its rates, and no score of all together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from darkroom_pipeline.aws.record import Record

from . import measures
from .documents import MEASURED, MISSING, miss
from .rates import rates_of

NO_TOTAL = (
    "Measures are reported separately. Their rates hold for the images that they were counted on, and they depend on "
    "each other, so that no score of all of them would have a known rate."
)


class MeasureText(NamedTuple):
    """What a measure compares, and what its result does not show."""

    title: str
    meaning: str
    limits: str


TEXTS: Mapping[str, MeasureText] = {
    measures.CREDENTIALS: MeasureText(
        "Content Credentials",
        "Whether a signed C2PA manifest was in the upload, and whether the file still has the bytes that were signed.",
        "A valid signature shows who signed, not that the content is true. A missing manifest shows nothing: it can be "
        "removed, and most cameras write none.",
    ),
    measures.THUMBNAIL: MeasureText(
        "EXIF thumbnail",
        "Whether the small image that cameras write into the EXIF block shows the same as the image.",
        "Most editors replace the thumbnail or remove it, so an equal or missing one shows nothing. Crops differ, too.",
    ),
    measures.TABLES: MeasureText(
        "Quantisation tables",
        "Whether the tables of the JPEG are those of the camera that the EXIF block names or, if none of its files is "
        "known, those of libjpeg, which most editors and services write.",
        "Few cameras are known, by one file each, and cameras have several tables, for each quality or image. Some "
        "phones write libjpeg's tables themselves.",
    ),
    measures.DOUBLE_COMPRESSION: MeasureText(
        "Double compression",
        "Whether coefficients have the gaps and peaks of an image that was compressed as JPEG before.",
        "An image that was merely saved again counts, too. A second compression at a lower or the same quality removes "
        "most traces, resizing removes all.",
    ),
    measures.AREA: MeasureText(
        "Area without double compression",
        "Whether an area of an image that was compressed twice looks as if it was compressed once, as what is pasted "
        "from another image does.",
        "Applies only where double compression is found. Areas without texture, such as skies, show little.",
    ),
    measures.COPIES: MeasureText(
        "Near copies",
        "Where the image differs from images of this deployment that show the same.",
        "It does not show which of both was changed. Copies that are mirrored, turned or distorted are not compared.",
    ),
}

FLAGGED_CREDENTIALS = ("invalid", "unreadable")
UNCHECKED = "unchecked"
"""The state of Content Credentials that ingest did not validate, as with ``ContentCredentials=off``."""


def build_measures(
    record: Record, analysed: Mapping[str, Any], copies: Sequence[Mapping[str, Any]], copies_missing: str
) -> list[dict[str, object]]:
    """Return all measures in order: those of ``analysed``, and what the index knows.

    ``copies`` are near copies as the search returns them, ``copies_missing`` is why there are none.
    """
    found = {
        **{name: analysed.get(name, miss("The bytes were not analysed")) for name in measures.MEASURES},
        measures.CREDENTIALS: _describe_credentials(record),
        measures.COPIES: _describe_copies(analysed.get(measures.COPIES, {}), copies, copies_missing),
    }
    return [{"measure": name, **TEXTS[name]._asdict(), **found[name], "rates": rates_of(name)} for name in found]


def _describe_credentials(record: Record) -> dict[str, object]:
    provenance = record.held.provenance or record.provenance
    stated = provenance.get("content_credentials")
    if not stated or stated.get("state") == UNCHECKED:
        return miss("The upload has no manifest, or was ingested without validation")
    return {
        "state": MEASURED,
        "flagged": stated.get("state") in FLAGGED_CREDENTIALS,
        "value": dict(stated),
        "images": {},
    }


def _describe_copies(
    compared: Mapping[str, Any], copies: Sequence[Mapping[str, Any]], reason: str
) -> dict[str, object]:
    if reason:
        return miss(reason)
    found = [{**one, "comparison": compared.get(one["key"], miss("The copy was not compared"))} for one in copies]
    flags = [one["comparison"]["flagged"] for one in found if one["comparison"]["state"] == MEASURED]
    return {
        "state": MEASURED if found else MISSING,
        "reason": "" if found else "No other image of this deployment counts as a copy",
        "flagged": any(flags) if flags else None,
        "value": {"copies": found},
        "images": {},
    }
