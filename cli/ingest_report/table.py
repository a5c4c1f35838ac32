"""Format the report as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from textwrap import shorten

from darkroom_pipeline.aws.record import HELD, READY, Record

from ..terminal import Line, Style
from .outcomes import LOST, UploadOutcome

REASON_CHARACTERS = 60

_HEAD = ("key", "outcome", "upload", "master, or the reason", "presets", "seconds", "")
_ROW = "{0:{widths[0]}}  {1:{widths[1]}}  {2:{widths[2]}}  {3:{widths[3]}}  {4:>7}  {5:>7}  {6}"


def format_table(outcomes: Sequence[UploadOutcome], wrong: Mapping[str, str]) -> list[str]:
    """Return a head and a line for each upload, by key. ``wrong`` has the problems by file name."""
    rows = [
        _HEAD,
        *(
            _row(outcome, wrong.get(outcome.sent.name, ""))
            for outcome in sorted(outcomes, key=lambda one: one.sent.key)
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return [
        Line((_ROW.format(*_HEAD, widths=widths).rstrip(), Style.HEADING)),
        *(_style(_ROW.format(*row, widths=widths).rstrip(), row) for row in rows[1:]),
    ]


def _style(text: str, row: Sequence[str]) -> Line:
    """Style the outcome of a row, which follows the key, and what is wrong with it, which is last."""
    key, outcome, complaint = row[0], row[1], row[-1]
    before, _, after = text.removeprefix(key).partition(outcome)
    style = Style.GOOD if outcome == READY else Style.PLAIN
    return Line(
        key + before,
        (outcome, Style.PROBLEM if complaint else style),
        after.removesuffix(complaint),
        (complaint, Style.PROBLEM),
    )


def totals(outcomes: Sequence[UploadOutcome]) -> str:
    """Count the uploads by outcome."""
    counts = Counter(outcome.outcome for outcome in outcomes)
    parts = [
        f"{counts.pop(outcome_name)} {outcome_name}" for outcome_name in (READY, HELD, LOST) if outcome_name in counts
    ]
    if counts:
        by_code = ", ".join(f"{count} {code}" for code, count in sorted(counts.items()))
        parts.append(f"{counts.total()} refused ({by_code})")
    if copied := sum(outcome.record is not None and bool(outcome.record.same_as) for outcome in outcomes):
        parts.append(f"{copied} copied from another key")
    noun = "upload" if len(outcomes) == 1 else "uploads"
    return f"{len(outcomes)} {noun}: " + ", ".join(parts)


def _row(outcome: UploadOutcome, complaint: str) -> tuple[str, ...]:
    upload, master, presets = _described(outcome)
    seconds = f"{outcome.took_s:.1f}" if outcome.record is not None else ""
    return outcome.sent.key, outcome.outcome, upload, master, presets, seconds, f"<- {complaint}" if complaint else ""


def _described(outcome: UploadOutcome) -> tuple[str, str, str]:
    if outcome.record is None:
        return "", "", ""
    if outcome.record.state == READY:
        return describe_upload(outcome.record), describe_master(outcome.record), str(outcome.presets)
    return "", shorten(outcome.record.refusal.reason, REASON_CHARACTERS, placeholder=" …"), ""


def describe_upload(record: Record) -> str:
    """Describe the uploaded image."""
    facts = record.facts
    frames = f" ×{facts['frames']}" if facts["frames"] > 1 else ""
    return f"{facts['format']} {facts['width']}×{facts['height']}{frames}, {format_size(facts['size_bytes'])}"


def describe_master(record: Record) -> str:
    """Describe the master that was made of it."""
    kind = record.master.content_type.removeprefix("image/")
    copied = f", as {record.same_as}" if record.same_as else ""
    return f"{kind} {record.master.how}, {format_size(record.master.size_bytes)}{copied}"


def format_size(size_bytes: int) -> str:
    """Format a size in MB or kB."""
    return f"{size_bytes / 1_000_000:.1f} MB" if size_bytes >= 1_000_000 else f"{size_bytes / 1000:.1f} kB"
