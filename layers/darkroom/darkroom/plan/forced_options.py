"""Options that the deployment forces below key prefixes: redaction, and a watermark.

The rules of the settings ``always_redact`` and ``always_watermark`` have one text form, which the edge function reads
from its key-value store: ``people/=faces-plate,previews/:logo-center-50-25``. After ``=`` is what is redacted, one or
more words joined by dashes, and after ``:`` the watermark as in a canonical path. A prefix is percent-encoded UTF-8 in
the one spelling that :func:`quote_key` has, and is compared with that spelling of a key, so that the edge function,
the Lambda functions and S3 match the same keys. Two Unicode normal forms of a text are two keys in S3 and two prefixes.

Redactions of all matching prefixes apply together; of watermarks, that of the longest one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from ..image_keys import quote_key
from .canonical import check_length
from .compound_types import OBJECT_CLASS, WatermarkType
from .model import COMPASS_POINTS, DATA_FORMATS, NO_WATERMARK, Plan, Watermark
from .option_types import split_parts
from .redaction import add_redaction, check_first_page, merge_redactions

_CHARACTER = "(?:[A-Za-z0-9._~-]|%(?:2[0-9A-C]|3[A-F]|40|5[B-E]|60|7[B-D]|[89A-F][0-9A-F]))"
"""One byte of a key as :func:`quote_key` writes it, except a slash."""

_PREFIX = f"(?:{_CHARACTER}+/)*{_CHARACTER}*"
_REDACTION = rf"{_PREFIX}={OBJECT_CLASS}(?:-{OBJECT_CLASS})*"
_WATERMARK = rf"{_PREFIX}:[a-z0-9-]+"
_RULES = f"(?:{_REDACTION}|{_WATERMARK})"
FORCED_OPTIONS = f"^$|^{_RULES}(?:,{_RULES})*$"
"""Pattern of valid rules. A prefix that no key can have, such as one with a leading slash, is invalid."""

MAX_FORCED_CHARACTERS = 20
"""Of all different words that rules redact, joined: names of derivatives have room for no more
(:data:`darkroom.plan.canonical.MAX_REQUEST_BYTES`). A watermark counts as an option of the request instead."""

_TYPE = WatermarkType(COMPASS_POINTS)


class Forced(NamedTuple):
    """What is forced in one image: the words of its redaction, "" for none, and its watermark."""

    redact: str = ""
    watermark: Watermark | None = None

    def apply(self, plan: Plan) -> Plan:
        """Force these options into ``plan``, in normal form. A watermark replaces that of the request."""
        plan = add_redaction(plan, self.redact) if self.redact else plan
        if self.watermark is None or plan.format in DATA_FORMATS or is_unmarked(plan):
            return plan
        return replace(
            plan,
            watermark=self.watermark,
            watermark_layout=None,
            watermark_repeat="",
            watermark_last=False,
            nine_patch=False,
            even_centre=plan.even_centre and plan.watermark_layout is None,
            passthrough_formats=(),
        )


@dataclass(frozen=True, slots=True)
class ForcedOptions:
    """The deployment's rules: pairs of a percent-encoded prefix and what is redacted below it, or its watermark.

    ``watermarks`` are in ascending order of the length of their prefixes.
    """

    redactions: tuple[tuple[str, str], ...] = ()
    watermarks: tuple[tuple[str, Watermark], ...] = ()

    @classmethod
    def parse(cls, text: str) -> ForcedOptions:
        """Parse the rules of ``text``; raises ValueError, because an ignored rule would hide nothing."""
        if text and not re.fullmatch(FORCED_OPTIONS, text):
            raise ValueError(f"these rules are not like people/=faces,previews/:logo: {text!r}")
        rules = text.split(",") if text else []
        pairs = [rule.partition("=")[::2] for rule in rules if "=" in rule]
        marks = {prefix: _parse_watermark(mark) for prefix, _, mark in (rule.partition(":") for rule in rules) if mark}
        forced = sorted({word for _, redact in pairs for word in split_parts(redact)})
        if len("-".join(forced)) > MAX_FORCED_CHARACTERS:
            raise ValueError(f"the rules redact more than {MAX_FORCED_CHARACTERS} characters: {', '.join(forced)}")
        return cls(tuple(pairs), tuple(sorted(marks.items(), key=lambda rule: (len(rule[0]), rule[0]))))

    @classmethod
    def from_tables(cls, redactions: Mapping[str, str], watermarks: Mapping[str, str]) -> ForcedOptions:
        """Parse the tables of the settings: values by prefix, as in a URL. Raises ValueError."""
        texts = [
            *(f"{prefix}={value.replace(',', '-')}" for prefix, value in redactions.items()),
            *(f"{prefix}:{value.replace(',', '-')}" for prefix, value in watermarks.items()),
        ]
        return cls.parse(",".join(texts))

    def merge(self, other: ForcedOptions) -> ForcedOptions:
        """Return the rules of both."""
        return ForcedOptions.parse(",".join(filter(None, (self.text, other.text))))

    @property
    def text(self) -> str:
        """The rules in the form that :meth:`parse` accepts."""
        return ",".join(
            [
                *(f"{prefix}={redact}" for prefix, redact in self.redactions),
                *(f"{prefix}:{_TYPE.format(mark)}" for prefix, mark in self.watermarks),
            ]
        )

    def find(self, key: str) -> Forced:
        """Return what is forced in the image ``key``."""
        spelled = quote_key(key)
        redact, watermark = "", None
        for prefix, words in self.redactions:
            if spelled.startswith(prefix):
                redact = merge_redactions(redact, words)
        for prefix, mark in self.watermarks:
            if spelled.startswith(prefix):
                watermark = mark
        return Forced(redact, watermark)

    def apply(self, plan: Plan) -> Plan:
        """Force the options of the key of ``plan`` into it."""
        return self.find(plan.key).apply(plan)

    def check(self, plan: Plan) -> None:
        """Raise BadOption if the canonical request ``plan`` is too long, or redacts a further page, with what is
        forced."""
        forced = self.find(plan.key)
        if forced.watermark:
            check_length(forced._replace(redact="").apply(plan))
        check_first_page(forced.apply(plan))


NOTHING_FORCED = ForcedOptions()


def is_unmarked(plan: Plan) -> bool:
    """Return whether the request asks for an image without the watermark that is forced for others."""
    return plan.watermark is not None and plan.watermark.name == NO_WATERMARK


def _parse_watermark(text: str) -> Watermark:
    mark = _TYPE.parse(split_parts(text))
    assert isinstance(mark, Watermark)
    if mark.name == NO_WATERMARK:
        raise ValueError(f"no rule can force the watermark {NO_WATERMARK!r}")
    return mark
