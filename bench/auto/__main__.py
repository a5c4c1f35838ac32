"""Learn start values of ``q=auto`` and write them into the formats' packages: ``python -m bench.auto``.

``python -m bench.auto avif`` learns the named formats only.
"""

from __future__ import annotations

import sys

from .starts import LOSSY, learn_tables

if __name__ == "__main__":
    learn_tables(sys.argv[1:] or LOSSY)
