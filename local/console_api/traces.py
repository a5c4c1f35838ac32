"""Traces: X-Ray's documents put together, searched, and shown as trees."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

KEPT = 4000
"""Traces, of which the ones that nothing was heard of for longest are forgotten."""

DOCUMENTS_KEPT = 500
"""Segments of one trace."""

NO_FAULTS = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED})
SEVERITY = {"ok": 0, "error": 1, "fault": 2}

type Document = dict[str, Any]


@dataclass(slots=True)
class _Trace:
    documents: dict[str, Document] = field(default_factory=dict)

    def put(self, document: Document) -> None:
        """Keep a segment, but no unfinished one over the same that has ended."""
        name, known = document["id"], self.documents.get(document["id"])
        if known is None and len(self.documents) >= DOCUMENTS_KEPT:
            return
        if known is None or "end_time" in document or "end_time" not in known:
            self.documents[name] = document

    @property
    def started_s(self) -> float:
        return min(float(one["start_time"]) for one in self.documents.values())

    @property
    def ended_s(self) -> float:
        return max(_ended_s(one) for one in self.documents.values())


class Traces:
    """The newest traces. ``names`` are what functions are called here, by the names that they have in Lambda."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._traces: OrderedDict[str, _Trace] = OrderedDict()
        self.names: Mapping[str, str] = {}

    def take(self, datagram: bytes) -> None:
        """Keep what a function sent to X-Ray's daemon. What is no such document is dropped, as the daemon does."""
        try:
            document = json.loads(datagram.partition(b"\n")[2])
            found = list(_flattened(document, str(document["trace_id"]), document.get("parent_id", "")))
        except (ValueError, TypeError, KeyError, AttributeError):
            return
        trace = self._traces.setdefault(document["trace_id"], _Trace())
        for one in found:
            trace.put(one)
        self._traces.move_to_end(document["trace_id"])
        while len(self._traces) > self._kept:
            self._traces.popitem(last=False)

    def listed(self, since_s: float, text: str = "", limit: int = 200) -> list[Document]:
        """Traces that began at ``since_s`` or later, the newest first.

        ``text`` is in their id, in a name or in an annotation, whatever the case. Calls to AWS do not decide on their
        status: a HEAD that finds nothing is an error to the SDK, and mostly none to who asked.
        """
        recent = [(trace.started_s, name, trace) for name, trace in self._traces.items() if trace.ended_s >= since_s]
        found: list[Document] = []
        for started_s, name, trace in sorted(recent, key=lambda one: one[:2], reverse=True):
            if len(found) == limit:
                break
            summary = self._summary(name, trace)
            if started_s >= since_s and _mentions(summary, text.lower()):
                found.append(summary)
        return found

    def tree(self, trace_id: str) -> Document | None:
        """One trace with its segments below one another, None if it is not known."""
        if (trace := self._traces.get(trace_id)) is None:
            return None
        children: dict[str, list[Document]] = {}
        for one in sorted(trace.documents.values(), key=lambda document: float(document["start_time"])):
            parent = one.get("parent_id", "")
            children.setdefault(parent if parent in trace.documents else "", []).append(one)
        started_s = trace.started_s

        def shown(one: Document) -> Document:
            return {
                "id": one["id"],
                "name": self._called(one),
                "kind": _kind(one),
                "start_ms": round((float(one["start_time"]) - started_s) * 1000, 2),
                "duration_ms": round((_ended_s(one) - float(one["start_time"])) * 1000, 2),
                "status": _status(one),
                "annotations": one.get("annotations") or {},
                "metadata": _metadata(one),
                "children": [shown(child) for child in children.get(one["id"], ())],
            }

        return {
            "trace_id": trace_id,
            "started_s": started_s,
            "duration_ms": round((trace.ended_s - started_s) * 1000, 2),
            "segments": [shown(one) for one in children.get("", ())],
        }

    def _summary(self, name: str, trace: _Trace) -> Document:
        documents = sorted(trace.documents.values(), key=lambda one: float(one["start_time"]))
        annotations: Document = {}
        for one in documents:
            annotations = (one.get("annotations") or {}) | annotations
        functions = [self._called(one) for one in documents if _kind(one) == "function"]
        own = [one for one in documents if _kind(one) != "aws"] or documents
        return {
            "trace_id": name,
            "started_s": trace.started_s,
            "duration_ms": round((trace.ended_s - trace.started_s) * 1000, 2),
            "names": list(dict.fromkeys(functions or [self._called(one) for one in documents[:1]])),
            "status": max((_status(one) for one in own), key=SEVERITY.__getitem__),
            "annotations": annotations,
        }

    def _called(self, document: Document) -> str:
        name = str(document.get("name", ""))
        return self.names.get(name, name)


def _flattened(document: Document, trace_id: str, parent: str) -> Iterator[Document]:
    """A segment and all that it holds, each with its trace and its parent. KeyError if one lacks what it must have."""
    own = {name: value for name, value in document.items() if name != "subsegments"}
    own |= {"id": str(document["id"]), "trace_id": trace_id, "start_time": float(document["start_time"])}
    yield own | ({"parent_id": parent} if parent else {})
    for one in document.get("subsegments") or ():
        yield from _flattened({"type": "subsegment", **one}, trace_id, own["id"])


def _ended_s(document: Document) -> float:
    return float(document.get("end_time") or document["start_time"])


def _kind(document: Document) -> str:
    if document.get("type") != "subsegment":
        return "function"
    return {"remote": "remote", "aws": "aws"}.get(str(document.get("namespace", "")), "stage")


def _status(document: Document) -> str:
    """What the document says, else what its annotation ``status`` means in HTTP.

    A call to AWS that found nothing, or lost a race, was answered: only the SDK takes that for a fault.
    """
    if _kind(document) == "aws" and _answered(document) in NO_FAULTS:
        return "ok"
    if document.get("fault"):
        return "fault"
    if document.get("error") or document.get("throttle"):
        return "error"
    status = str((document.get("annotations") or {}).get("status", ""))
    if not status.isdecimal() or int(status) < 400:
        return "ok"
    return "fault" if int(status) >= 500 else "error"


def _answered(document: Document) -> Any:
    return ((document.get("http") or {}).get("response") or {}).get("status")


def _metadata(document: Document) -> Document:
    """All that was noted, whatever its namespace, and what the request to AWS was."""
    noted: Document = {}
    for values in (document.get("metadata") or {}).values():
        noted |= values if isinstance(values, dict) else {}
    asked = document.get("aws") or {}
    return noted | {
        name: asked[name] for name in ("operation", "request_id", "bucket_name", "table_name") if name in asked
    }


def _mentions(summary: Document, text: str) -> bool:
    told = (summary["trace_id"], *summary["names"], *summary["annotations"].values())
    return not text or any(text in str(one).lower() for one in told)
