"""All checks, in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..model import Check
from . import account, delivery, further, operation, removal, uploads

GROUPS: Mapping[str, Sequence[Check]] = {
    "delivery": delivery.CHECKS,
    "uploads": uploads.CHECKS,
    "operation": operation.CHECKS,
    "account": account.CHECKS,
    "further": further.CHECKS,
    "removal": removal.CHECKS,
}
"""Checks by group. Those that remove images are last."""
