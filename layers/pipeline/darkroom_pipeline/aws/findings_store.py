"""Where findings are kept: a sidecar in S3 for each generation, which renders read, and one item in the index.

The item is about the newest findings of any generation. It also says how far the work on them has come. Ingest reads
the verdict of moderation from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from darkroom.findings import (
    MODERATION,
    OBJECTS,
    TEXT,
    Findings,
    explanation_to_document,
    findings_from_document,
    findings_to_document,
)
from darkroom.image_keys import encode_key

from .clients import translate_errors
from .documents import DocumentStore, Value
from .s3 import S3Bucket
from .s3_objects import ListedObject

FINDINGS = "findings/"
"""The folder of all sidecars in the media bucket."""

MAX_ITEM_CHARACTERS = 300_000
"""Of a document in the index: DynamoDB takes items of 400 KB. The sidecar holds all of it."""


def sidecar_name(generation: str, key: str) -> str:
    """The object that holds the findings of ``key``."""
    return f"{FINDINGS}{generation}/{encode_key(key)}.json"


def item_name(key: str) -> str:
    """The partition key of the item about the findings of ``key``."""
    return f"findings#{key}"


def list_generations(media: S3Bucket) -> Iterator[str]:
    """The names of the folders of findings, found by one listing each however many files they have."""
    after = ""
    while page := next(media.list_pages(FINDINGS, start_after=after), None):
        generation = page[0].key.removeprefix(FINDINGS).partition("/")[0]
        yield generation
        after = f"{FINDINGS}{generation}0"  # the character after the slash


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A sidecar and its own entity tag, with quotes. ``findings`` None: it cannot be read, and may be replaced."""

    findings: Findings | None
    etag: str


@dataclass(frozen=True, slots=True)
class FindingsRecord:
    """The index item. ``announced``: all that follows from these findings has been done and published.

    ``sha256_of`` is that of the upload. ``flagged`` is the verdict of moderation, None without one. ``version`` is 0
    where there is no item.
    """

    findings: Findings | None = None
    image_id: str = ""
    sha256_of: str = ""
    flagged: bool | None = None
    announced: bool = False
    version: int = 0

    def matches(self, generation: str, source_etag: str) -> bool:
        """Whether it is about this generation and this master."""
        known = self.findings
        return known is not None and (known.generation, known.source_etag) == (generation, source_etag)


@dataclass(frozen=True)
class FindingsStore:
    """Sidecars in ``media``, items in ``entries``. Faults are Unavailable."""

    media: S3Bucket
    entries: DocumentStore

    def read_sidecar(self, generation: str, key: str) -> Sidecar | None:
        """The sidecar of ``key`` in ``generation``."""
        opened = self.media.open(sidecar_name(generation, key))
        if opened is None:
            return None
        with opened.body as body:
            return Sidecar(_parse(body.read()), opened.head.etag)

    def put_sidecar(self, key: str, findings: Findings, *, replaces: Sidecar | None) -> None:
        """Write the sidecar over the one that was seen, and over nothing later; raises ObjectChanged."""
        self.media.put(
            sidecar_name(findings.generation, key),
            _text(findings).encode(),
            headers={"Content-Type": "application/json"},
            metadata={"source-etag": findings.source_etag},
            replaces=replaces.etag if replaces else "",
        )

    def read_record(self, key: str) -> FindingsRecord:
        """What the index says."""
        entry = self.entries.get(item_name(key))
        fields = entry.fields
        return FindingsRecord(
            _parse(str(fields.get("document", "")).encode()),
            str(fields.get("image_id", "")),
            str(fields.get("sha256_of", "")),
            bool(fields["flagged"]) if "flagged" in fields else None,
            bool(fields.get("announced", False)),
            entry.version,
        )

    def write_record(self, key: str, noted: FindingsRecord) -> FindingsRecord | None:
        """Write ``noted`` over its own version; as it is then, None if another writer was quicker."""
        assert noted.findings is not None
        fields: dict[str, Value] = {
            "key": key,
            "generation": noted.findings.generation,
            "source_etag": noted.findings.source_etag,
            "document": _short_text(noted.findings),
            "image_id": noted.image_id,
            "sha256_of": noted.sha256_of,
            "announced": noted.announced,
        }
        if noted.flagged is not None:
            fields["flagged"] = noted.flagged
        moderation = noted.findings.found.get(MODERATION)
        if moderation is not None and moderation.explanation is not None:
            fields["explanation"] = json.dumps(explanation_to_document(moderation.explanation), separators=(",", ":"))
        if moderation is not None and moderation.error:
            fields["moderation_error"] = moderation.error
        done = self.entries.put(item_name(key), fields, replaces=noted.version)
        return replace(noted, version=noted.version + 1) if done else None

    def list_sidecars(self, key: str) -> list[ListedObject]:
        """The sidecars of ``key`` in every generation."""
        found = []
        for generation in list_generations(self.media):
            name = sidecar_name(generation, key)
            page = next(self.media.list_pages(name), [])
            found += [one for one in page if one.key == name]
        return found

    def delete(self, key: str, sidecars: list[ListedObject], noted: FindingsRecord) -> int:
        """Delete what was seen, and nothing that came later; how many objects and items that were."""
        deleted = self.media.delete_many(sidecars)
        return deleted + (noted.version > 0 and self.entries.delete(item_name(key), seen=noted.version))


def _text(findings: Findings) -> str:
    return json.dumps(findings_to_document(findings), separators=(",", ":"))


def _short_text(findings: Findings) -> str:
    """The same without rasters, and with only as many lines of text, and then objects, as the item has room for."""
    findings = replace(findings, found={task: replace(finding, raster=b"") for task, finding in findings.found.items()})
    text = _text(findings)
    for task, parts in ((TEXT, "lines"), (OBJECTS, "objects")):
        while len(text) > MAX_ITEM_CHARACTERS and task in findings.found and getattr(findings.found[task], parts):
            whole = getattr(findings.found[task], parts)
            fewer = {parts: whole[: len(whole) * MAX_ITEM_CHARACTERS // (len(text) + 1)]}
            findings = replace(findings, found={**findings.found, task: replace(findings.found[task], **fewer)})
            text = _text(findings)
    return text


def _parse(document: bytes) -> Findings | None:
    try:
        return findings_from_document(json.loads(document))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict on the upload with ``sha256_of``. ``source_etag`` is the ETag of its master, without quotes.

    ``explanation`` is the document of the :class:`darkroom.findings.Explanation` in JSON, "" without one. ``error`` is
    why moderation has not seen the image: it counts as flagged, for a person must decide.
    """

    sha256_of: str
    source_etag: str
    flagged: bool
    explanation: str = ""
    error: str = ""


class VerdictTable:
    """Verdicts in ``table``. Every fault raises Unavailable."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, key: str) -> Verdict | None:
        """Return the newest verdict on ``key``; None if there is none."""
        with translate_errors(f"verdict on {key}"):
            found = self._client.get_item(
                TableName=self._table,
                Key={"pk": {"S": item_name(key)}},
                ProjectionExpression="sha256_of, source_etag, flagged, explanation, moderation_error",
                ConsistentRead=True,
            )
        item = found.get("Item", {})
        names = ("source_etag", "explanation", "moderation_error")
        etag, explanation, error = (item.get(name, {}).get("S", "") for name in names)
        if "sha256_of" not in item or not (error or "flagged" in item):
            return None
        flagged = bool(error) or bool(item["flagged"]["BOOL"])
        return Verdict(item["sha256_of"]["S"], etag, flagged, explanation, error)
