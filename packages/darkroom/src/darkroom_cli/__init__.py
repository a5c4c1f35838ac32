"""The command ``darkroom`` without a checkout: for releases, and for stacks on AWS.

The wheel has the files of its release that the command needs, at their places in the checkout, in a folder that is
added to the path when the command runs: no other program finds modules called ``cli`` or ``extensions``.
"""

from __future__ import annotations

import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent / "checkout"


def main() -> int:
    """Run the command; return its exit code."""
    sys.path.insert(0, str(CHECKOUT))
    from cli.main import main as run

    return run()
