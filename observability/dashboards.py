"""Three dashboards, for three people: who pays, who is on call, and who looks for the cause.

One table for CloudWatch and for the local console. The sections are those that the field's handbook names, and no
others; one that needs two units has a panel for each.
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
    """Every token that panels have: what :meth:`Panel.within` can be given."""
    panels = [panel for dashboard in DASHBOARDS for panel in dashboard.panels]
    return {token for panel in panels for measure in panel.series for token in tokens_of(measure)}
