"""How long a message waits after a fault, before it is tried again."""

from __future__ import annotations

FIRST_WAIT_S = 15
MAX_WAIT_S = 900


def backoff_s(receives: int) -> int:
    """Seconds to hide a message for that has failed ``receives`` times: 15, 30, 60 ... up to a quarter of an hour."""
    return int(min(FIRST_WAIT_S * 2 ** min(max(receives, 1) - 1, 16), MAX_WAIT_S))
