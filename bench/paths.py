"""Where things are."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".local" / "bench"
"""Everything that is installed, built or made, kept until what it was made from changes."""
