"""Traces: X-Ray documents collected, searched and returned as trees."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

MAX_TRACES = 4000
"""Maximum number of traces. The least recently updated trace is dropped first."""

MAX_DOCUMENTS = 500
"""Maximum number of segments of one trace."""

NO_FAULTS = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED})
SEVERITY = {"ok": 0, "error": 1, "fault": 2}

type Document = dict[str, Any]


@dataclass(slots=True)
class _Trace:
    documents: dict[str, Document] = field(default_factory=dict)

    def put(self, document: Document) -> None:
        """Store a segment. An unfinished segment does not replace a finished one."""
        name, known = document["id"], self.documents.get(document["id"])
        if known is None and len(self.documents) >= MAX_DOCUMENTS:
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
    """The newest traces. ``names`` maps names of functions in Lambda to display names."""

    def __init__(self, max_traces: int = MAX_TRACES) -> None:
        self._max_traces = max_traces
        self._traces: OrderedDict[str, _Trace] = OrderedDict()
        self.names: Mapping[str, str] = {}

    def add_datagram(self, datagram: bytes) -> None:
        """Store a datagram that a function sent to X-Ray's daemon. Invalid documents are dropped, as by the daemon."""
        try:
            document = json.loads(datagram.partition(b"\n")[2])
            found = list(_flatten(document, str(document["trace_id"]), document.get("parent_id", "")))
        except (ValueError, TypeError, KeyError, AttributeError):
            return
        trace = self._traces.setdefault(document["trace_id"], _Trace())
        for one in found:
            trace.put(one)
        self._traces.move_to_end(document["trace_id"])
        while len(self._traces) > self._max_traces:
            self._traces.popitem(last=False)

    def search(self, since_s: float, text: str = "", limit: int = 200) -> list[Document]:
        """Return traces that started at ``since_s`` or later, newest first.

        ``text`` is searched in ids, names and annotations, in any letter case. Calls to AWS do not count for a trace's
        status: a HEAD that finds no object is an error for the SDK, and usually expected by the caller.
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
        """Return one trace with its segments as a tree, None if it does not exist."""
        if (trace := self._traces.get(trace_id)) is None:
            return None
        children: dict[str, list[Document]] = {}
        for one in sorted(trace.documents.values(), key=lambda document: float(document["start_time"])):
            parent = one.get("parent_id", "")
            children.setdefault(parent if parent in trace.documents else "", []).append(one)
        started_s = trace.started_s

        def render(one: Document) -> Document:
            return {
                "id": one["id"],
                "name": self._display_name(one),
                "kind": _kind(one),
                "start_ms": round((float(one["start_time"]) - started_s) * 1000, 2),
                "duration_ms": round((_ended_s(one) - float(one["start_time"])) * 1000, 2),
                "status": _status(one),
                "annotations": one.get("annotations") or {},
                "metadata": _metadata(one),
                "children": [render(child) for child in children.get(one["id"], ())],
            }

        return {
            "trace_id": trace_id,
            "started_s": started_s,
            "duration_ms": round((trace.ended_s - started_s) * 1000, 2),
            "segments": [render(one) for one in children.get("", ())],
        }

    def _summary(self, name: str, trace: _Trace) -> Document:
        documents = sorted(trace.documents.values(), key=lambda one: float(one["start_time"]))
        annotations: Document = {}
        for one in documents:
            annotations = (one.get("annotations") or {}) | annotations
        functions = [self._display_name(one) for one in documents if _kind(one) == "function"]
        own = [one for one in documents if _kind(one) != "aws"] or documents
        return {
            "trace_id": name,
            "started_s": trace.started_s,
            "duration_ms": round((trace.ended_s - trace.started_s) * 1000, 2),
            "names": list(dict.fromkeys(functions or [self._display_name(one) for one in documents[:1]])),
            "status": max((_status(one) for one in own), key=SEVERITY.__getitem__),
            "annotations": annotations,
        }

    def _display_name(self, document: Document) -> str:
        name = str(document.get("name", ""))
        return self.names.get(name, name)


def _flatten(document: Document, trace_id: str, parent: str) -> Iterator[Document]:
    """Yield a segment and its subsegments, each with trace id and parent. Raises KeyError for a missing field."""
    own = {name: value for name, value in document.items() if name != "subsegments"}
    own |= {"id": str(document["id"]), "trace_id": trace_id, "start_time": float(document["start_time"])}
    yield own | ({"parent_id": parent} if parent else {})
    for one in document.get("subsegments") or ():
        yield from _flatten({"type": "subsegment", **one}, trace_id, own["id"])


def _ended_s(document: Document) -> float:
    return float(document.get("end_time") or document["start_time"])


def _kind(document: Document) -> str:
    if document.get("type") != "subsegment":
        return "function"
    return {"remote": "remote", "aws": "aws"}.get(str(document.get("namespace", "")), "stage")


def _status(document: Document) -> str:
    """Return the status of the document, or the status class of its HTTP annotation ``status``.

    A call to AWS that found nothing or lost a race counts as ok: only the SDK treats it as a fault.
    """
    if _kind(document) == "aws" and _response_status(document) in NO_FAULTS:
        return "ok"
    if document.get("fault"):
        return "fault"
    if document.get("error") or document.get("throttle"):
        return "error"
    status = str((document.get("annotations") or {}).get("status", ""))
    if not status.isdecimal() or int(status) < 400:
        return "ok"
    return "fault" if int(status) >= 500 else "error"


def _response_status(document: Document) -> Any:
    return ((document.get("http") or {}).get("response") or {}).get("status")


def _metadata(document: Document) -> Document:
    """Return the metadata of all namespaces, and fields of the AWS request."""
    metadata: Document = {}
    for values in (document.get("metadata") or {}).values():
        metadata |= values if isinstance(values, dict) else {}
    request = document.get("aws") or {}
    return metadata | {
        name: request[name] for name in ("operation", "request_id", "bucket_name", "table_name") if name in request
    }


def _mentions(summary: Document, text: str) -> bool:
    texts = (summary["trace_id"], *summary["names"], *summary["annotations"].values())
    return not text or any(text in str(one).lower() for one in texts)
