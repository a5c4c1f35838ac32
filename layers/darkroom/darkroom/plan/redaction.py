"""Redaction of faces, text and objects: that of a Plan, and that which the deployment forces below key prefixes.

The rules of the setting ``always_redact`` have a text form, such as ``people/=faces-plate,docs/=text``, which the edge
function reads from its key-value store. What is redacted is one or more words, joined by dashes. A prefix is
percent-encoded UTF-8 in the one spelling that :func:`quote_key` has, and is compared with that spelling of a key, so
that the edge function, the Lambda functions and S3 match the same keys. Two Unicode normal forms of a text are two keys
in S3 and two prefixes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ..errors import BadOption
from ..image_keys import quote_key
from .compound_types import OBJECT_CLASS, join_redactions
from .model import DATA_FORMATS, GRAVITY_TASKS, Plan
from .option_types import split_parts

FIRST_GENERATION = "1"
"""The generation of findings that is active until a deployment selects another one."""

_CHARACTER = "(?:[A-Za-z0-9._~-]|%(?:2[0-9A-C]|3[A-F]|40|5[B-E]|60|7[B-D]|[89A-F][0-9A-F]))"
"""One byte of a key as :func:`quote_key` writes it, except a slash."""

_RULE = f"(?:{_CHARACTER}+/)*{_CHARACTER}*={OBJECT_CLASS}(?:-{OBJECT_CLASS})*"
ALWAYS_REDACT = f"^$|^{_RULE}(?:,{_RULE})*$"
"""Pattern of valid rules. A prefix that no key can have, such as one with a leading slash, is invalid."""

MAX_FORCED_CHARACTERS = 20
"""Of all different words that rules force, joined: names of derivatives have room for no more
(:data:`darkroom.plan.canonical.MAX_REQUEST_BYTES`)."""

_TASKS = {"faces": ("faces",), "text": ("text",), "pii": ("text",), "all": ("faces", "text")}


@dataclass(frozen=True, slots=True)
class AlwaysRedact:
    """The deployment's rules: pairs of a percent-encoded prefix and what is redacted below it."""

    rules: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> AlwaysRedact:
        """Parse the rules of ``text``; raises ValueError, because an ignored rule would redact nothing."""
        if text and not re.fullmatch(ALWAYS_REDACT, text):
            raise ValueError(f"AlwaysRedact is not like people/=faces,docs/=text: {text!r}")
        pairs = [rule.partition("=") for rule in text.split(",") if rule]
        forced = sorted({word for _, _, redact in pairs for word in split_parts(redact)})
        if len("-".join(forced)) > MAX_FORCED_CHARACTERS:
            raise ValueError(f"AlwaysRedact has more than {MAX_FORCED_CHARACTERS} characters: {', '.join(forced)}")
        return cls(tuple((prefix, redact) for prefix, _, redact in pairs))

    @property
    def text(self) -> str:
        """The rules in the form that :meth:`parse` accepts."""
        return ",".join(f"{prefix}={redact}" for prefix, redact in self.rules)

    def for_key(self, key: str) -> str:
        """Return what is always redacted in the image ``key``: that of all matching prefixes together."""
        spelled = quote_key(key)
        found = ""
        for prefix, redact in self.rules:
            if spelled.startswith(prefix):
                found = merge_redactions(found, redact)
        return found


NO_FORCED_REDACTION = AlwaysRedact()


def merge_redactions(one: str, other: str) -> str:
    """Return the redaction that includes both ``one`` and ``other``."""
    return join_redactions(word for redact in (one, other) if redact for word in split_parts(redact))


def get_redacted_tasks(plan: Plan) -> tuple[str, ...]:
    """Return the tasks whose findings ``plan`` redacts."""
    words = split_parts(plan.redact) if plan.redact else ()
    return tuple(dict.fromkeys(task for word in words for task in _TASKS.get(word, ("objects",))))


def add_redaction(plan: Plan, redact: str) -> Plan:
    """Add ``redact`` to ``plan``, in normal form. Formats without an image are not redacted."""
    if not redact or plan.format in DATA_FORMATS:
        return plan
    return replace(
        plan, redact=merge_redactions(plan.redact, redact), animate=True, orient=True, passthrough_formats=()
    )


def apply_forced_redaction(plan: Plan, always: AlwaysRedact) -> Plan:
    """Add the redaction that the deployment forces for the key of ``plan``."""
    return add_redaction(plan, always.for_key(plan.key))


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
