"""Paths of the benchmark."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".local" / "bench"
"""Cache of everything that is installed, built or made."""
