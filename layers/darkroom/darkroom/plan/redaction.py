"""What has to be hidden in a picture: what its Plan says, and what the deployment forces for keys of some prefixes.

The rules of the setting ``always_redact`` have one text, as in ``people/=faces,docs/=text``: the edge reads it from its
key-value store. A prefix is percent-encoded UTF-8 with one spelling, as keys are in a URL, and is compared with that
spelling of a key: so the edge function, the functions behind it and S3 match the same keys, whatever a viewer writes.
Two Unicode forms of a text are two keys in S3, and two prefixes here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ..errors import BadOption
from .keys import quote_key
from .model import DATA_FORMATS, REDACTIONS, Plan

REDACT_ALL = "all"

FIRST_GENERATION = "1"
"""The generation of findings that is active as long as nobody has made another one so."""

_CHARACTER = "(?:[A-Za-z0-9._~-]|%(?:2[0-9A-C]|3[A-F]|40|5[B-E]|60|7[B-D]|[89A-F][0-9A-F]))"
"""One byte of a key as :func:`quote_key` writes it; slashes have a place of their own."""

_RULE = f"(?:{_CHARACTER}+/)*{_CHARACTER}*=(?:{'|'.join(REDACTIONS)})"
ALWAYS_REDACT = f"^$|^{_RULE}(?:,{_RULE})*$"
"""The texts of rules. A prefix that no key can have, such as one with a leading slash, is invalid."""


@dataclass(frozen=True, slots=True)
class AlwaysRedact:
    """The deployment's rules: pairs of a prefix, as it is spelled in a path, and what is hidden below it."""

    rules: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> AlwaysRedact:
        """Read the rules of a ``text``; raises ValueError, because a rule that is not understood hides nothing."""
        if text and not re.fullmatch(ALWAYS_REDACT, text):
            raise ValueError(f"AlwaysRedact is not like people/=faces,docs/=text: {text!r}")
        pairs = (rule.partition("=") for rule in text.split(",") if rule)
        return cls(tuple((prefix, redact) for prefix, _, redact in pairs))

    @property
    def text(self) -> str:
        """The rules as :meth:`parse` reads them."""
        return ",".join(f"{prefix}={redact}" for prefix, redact in self.rules)

    def for_key(self, key: str) -> str:
        """What is always hidden in the picture ``key``: that of all matching prefixes together."""
        spelled = quote_key(key)
        found = ""
        for prefix, redact in self.rules:
            if spelled.startswith(prefix):
                found = merge_redactions(found, redact)
        return found


NO_FORCED_REDACTION = AlwaysRedact()


def merge_redactions(one: str, other: str) -> str:
    """What hides both ``one`` and ``other``."""
    return one or other if one == other or not (one and other) else REDACT_ALL


def add_redaction(plan: Plan, redact: str) -> Plan:
    """``plan`` that hides ``redact`` too, in normal form. Formats that hold no picture hide nothing."""
    if not redact or plan.format in DATA_FORMATS:
        return plan
    return replace(
        plan, redact=merge_redactions(plan.redact, redact), animate=True, orient=True, passthrough_formats=()
    )


def apply_forced_redaction(plan: Plan, always: AlwaysRedact) -> Plan:
    """``plan`` with what the deployment hides in every picture of its key."""
    return add_redaction(plan, always.for_key(plan.key))


def needs_findings(plan: Plan) -> bool:
    """Whether ``plan`` cannot be made without what inference found."""
    return bool(plan.redact) or uses_faces(plan)


def uses_faces(plan: Plan) -> bool:
    """Whether ``plan`` cuts or mends by faces: until they are known, another picture stands in for its own."""
    return plan.gravity.name == "face" or plan.face_crop is not None or plan.red_eye


def check_first_page(plan: Plan) -> None:
    """Raise BadOption if ``plan`` redacts a page that nothing has looked at."""
    if plan.redact and plan.page:
        raise BadOption("Only page 0 can be redacted", option="page")
