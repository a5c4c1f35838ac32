"""Redaction of faces, text and objects, and the findings that a Plan needs."""

from __future__ import annotations

from dataclasses import replace

from ..errors import BadOption
from .compound_types import join_redactions
from .model import DATA_FORMATS, GRAVITY_TASKS, Plan
from .option_types import split_parts

FIRST_GENERATION = "1"
"""The generation of findings that is active until a deployment selects another one."""

_TASKS = {"faces": ("faces",), "text": ("text",), "pii": ("text",), "all": ("faces", "text")}


def merge_redactions(one: str, other: str) -> str:
    """Return the redaction that includes both ``one`` and ``other``."""
    return join_redactions(word for redact in (one, other) if redact for word in split_parts(redact))


def get_redacted_tasks(plan: Plan) -> tuple[str, ...]:
    """Return the tasks whose findings ``plan`` redacts."""
    return list_redaction_tasks(plan.redact)


def list_redaction_tasks(redact: str) -> tuple[str, ...]:
    """Return the tasks whose findings the words of ``redact`` need."""
    words = split_parts(redact) if redact else ()
    return tuple(dict.fromkeys(task for word in words for task in _TASKS.get(word, ("objects",))))


def add_redaction(plan: Plan, redact: str) -> Plan:
    """Add ``redact`` to ``plan``, in normal form. Formats without an image are not redacted."""
    if not redact or plan.format in DATA_FORMATS:
        return plan
    return replace(
        plan, redact=merge_redactions(plan.redact, redact), animate=True, orient=True, passthrough_formats=()
    )


def needs_findings(plan: Plan) -> bool:
    """Return whether rendering ``plan`` needs findings."""
    return bool(plan.redact or get_followed_tasks(plan))


def get_followed_tasks(plan: Plan) -> tuple[str, ...]:
    """Return the tasks whose findings ``plan`` crops to, corrects or returns. Without these it is provisional."""
    if plan.boxes:
        return ("faces", "text", "objects")
    if plan.cutout:
        return ("cutout", *get_followed_tasks(replace(plan, cutout=False)))
    if plan.face_crop is not None or plan.red_eye:
        return ("faces",)
    return (GRAVITY_TASKS[plan.gravity.name],) if plan.gravity.name in GRAVITY_TASKS else ()


def check_first_page(plan: Plan) -> None:
    """Raise BadOption if ``plan`` needs findings of a page other than the first: no other is analysed."""
    if (plan.redact or plan.boxes or plan.cutout) and plan.page:
        raise BadOption("Only page 0 can be redacted or cut out, or has boxes", option="page")
