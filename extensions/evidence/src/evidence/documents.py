"""Documents of measures that have no value. Without image libraries: the function itself decodes nothing."""

from __future__ import annotations

MEASURED, MISSING, REFUSED = "measured", "missing", "refused"
"""States: the measure has a value; the image has nothing to measure; it is damaged, or exceeds a limit."""

type Document = dict[str, object]


def miss(reason: str) -> Document:
    """Return the document of a measure that does not apply."""
    return {"state": MISSING, "reason": reason, "flagged": None}


def refuse(reason: str) -> Document:
    """Return the document of a measure that the image breaks."""
    return {"state": REFUSED, "reason": reason[:300], "flagged": None}
