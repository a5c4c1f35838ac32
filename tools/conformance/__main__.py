"""Command line: ``python -m tools.conformance [--url URL] [--versions 2.0 3.0] [--level 2]``. Prints the result of each
test.

Without ``--url`` it starts a stack without access restrictions, uploads the validator's image, and stops the stack. The
exit status is that of the validator: 0 if all tests passed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from local.errors import StartError
from local.isolated_stack import StackError

from .stack import IMAGE, running
from .validator import PREFIXES, prepare, validate_all


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.conformance", description="Run the official IIIF validator.")
    parser.add_argument("--url", help="a server with the validator's image, such as http://localhost:8088")
    parser.add_argument("--identifier", default=IMAGE.stem, help="identifier of the image there")
    parser.add_argument("--versions", nargs="+", choices=sorted(PREFIXES), default=sorted(PREFIXES))
    parser.add_argument("--level", type=int, default=2, help="highest tested compliance level (2)")
    chosen = parser.parse_args(arguments)
    try:
        asyncio.run(prepare())
        if chosen.url:
            return validate_all(chosen.url, chosen.identifier, chosen.level, chosen.versions)
        with TemporaryDirectory(prefix="darkroom-conformance-") as state, running(Path(state)) as url:
            return validate_all(url, IMAGE.stem, chosen.level, chosen.versions)
    except (StartError, StackError) as error:
        sys.stderr.write(f"{error}\n")
        return 99


if __name__ == "__main__":
    sys.exit(main())
