"""Price measurements with the price table of the monitor."""

from __future__ import annotations

from ..paths import ROOT

PAGE = ROOT / "docs" / "explanation" / "cost.md"
"""The page with the prices."""
