"""``python -m bench.auto``: learn where the search of ``q=auto`` begins, and write imaging/starts.py."""

from __future__ import annotations

from .starts import learned

if __name__ == "__main__":
    learned()
