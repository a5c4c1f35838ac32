"""The report, as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from textwrap import shorten

from darkroom.aws.record import READY, Record

from .outcomes import LOST, UploadOutcome

REASON_CHARACTERS = 60

_HEAD = ("key", "outcome", "upload", "master, or the reason", "presets", "seconds", "")
_ROW = "{0:{widths[0]}}  {1:{widths[1]}}  {2:{widths[2]}}  {3:{widths[3]}}  {4:>7}  {5:>7}  {6}"


def table(fates: Sequence[UploadOutcome], wrong: Mapping[str, str]) -> str:
    """A line for each upload, by key. ``wrong``: what is to be complained about, by the file's name."""
    rows = [_HEAD, *(_row(fate, wrong.get(fate.sent.name, "")) for fate in sorted(fates, key=lambda one: one.sent.key))]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(_ROW.format(*row, widths=widths).rstrip() for row in rows)


def totals(fates: Sequence[UploadOutcome]) -> str:
    """How many there were of each outcome."""
    counts = Counter(fate.outcome for fate in fates)
    parts = [f"{counts.pop(word)} {word}" for word in (READY, LOST) if word in counts]
    if counts:
        by_code = ", ".join(f"{count} {code}" for code, count in sorted(counts.items()))
        parts.append(f"{counts.total()} refused ({by_code})")
    if copied := sum(fate.record is not None and bool(fate.record.same_as) for fate in fates):
        parts.append(f"{copied} copied from another key")
    return f"{len(fates)} uploads: " + ", ".join(parts)


def _row(fate: UploadOutcome, complaint: str) -> tuple[str, ...]:
    upload, master, presets = _described(fate)
    seconds = f"{fate.took_s:.1f}" if fate.record is not None else ""
    return fate.sent.key, fate.outcome, upload, master, presets, seconds, f"<- {complaint}" if complaint else ""


def _described(fate: UploadOutcome) -> tuple[str, str, str]:
    if fate.record is None:
        return "", "", ""
    if fate.record.state == READY:
        return _upload(fate.record), _master(fate.record), str(fate.presets)
    return "", shorten(fate.record.refusal.reason, REASON_CHARACTERS, placeholder=" …"), ""


def _upload(record: Record) -> str:
    facts = record.facts
    frames = f" ×{facts['frames']}" if facts["frames"] > 1 else ""
    return f"{facts['format']} {facts['width']}×{facts['height']}{frames}, {_size(facts['size_bytes'])}"


def _master(record: Record) -> str:
    kind = record.master.content_type.removeprefix("image/")
    copied = f", as {record.same_as}" if record.same_as else ""
    return f"{kind} {record.master.how}, {_size(record.master.size_bytes)}{copied}"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1_000_000:.1f} MB" if size_bytes >= 1_000_000 else f"{size_bytes / 1000:.1f} kB"
