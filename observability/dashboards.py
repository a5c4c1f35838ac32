"""Three dashboards: executive, on call and debug, for CloudWatch and for the local console.

A section with two units has a panel for each.
"""

from __future__ import annotations

from .boards.debug import DEBUG
from .boards.executive import EXECUTIVE
from .boards.on_call import ON_CALL
from .measures import tokens_of
from .panel import Dashboard, Panel

__all__ = ["DASHBOARDS", "Dashboard", "Panel", "token_names"]

DASHBOARDS = (EXECUTIVE, ON_CALL, DEBUG)


def token_names() -> set[str]:
    """Return every token of the panels: the names that :meth:`Panel.for_deployment` accepts."""
    panels = [panel for dashboard in DASHBOARDS for panel in dashboard.panels]
    return {token for panel in panels for measure in panel.series for token in tokens_of(measure)}
