"""Rows that differ from sharp's results, each with its reason. docs/reference/dialects/dit.md lists the same."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from tests.peers.thumbor.sources import ALPHA


class Difference(NamedTuple):
    """``pattern`` is searched in a row's edits as JSON; ``source`` is the only one that differs, if it has a name."""

    pattern: str
    reason: str
    source: str = ""


DIFFERENCES = (
    Difference("roundCrop", "transparent, and cut to the ellipse's bounds; DIT makes it black around, and trims"),
    Difference('"convolve".*-2', "a kernel that finds edges leaves alpha alone", ALPHA),
    Difference('"threshold"', "colours are compared as they are, not as weighted by alpha", ALPHA),
    Difference('"modulate"', "colours are changed as they are, not as weighted by alpha", ALPHA),
    Difference('"width": 7', "a result of a few px is rounded otherwise"),
)


def difference(source: str, edits: dict[str, Any]) -> Difference | None:
    """The documented difference that ``edits`` of ``source`` are an example of."""
    text = json.dumps(edits)
    return next((one for one in DIFFERENCES if re.search(one.pattern, text) and one.source in ("", source)), None)
