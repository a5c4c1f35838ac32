"""``python -m bench.auto``: learn where the search of ``q=auto`` begins, and write it into the formats' packages.

``python -m bench.auto avif`` learns the formats that it names, and keeps the other lines.
"""

from __future__ import annotations

import sys

from .starts import LOSSY, learn_tables

if __name__ == "__main__":
    learn_tables(sys.argv[1:] or LOSSY)
