"""``python -m tools.release VERSION --to FOLDER``: build a release from the files that git knows."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from .building import ARCHITECTURES, WrongVersion, build_release
from .layers import BuildError
from .notes import NoNotes


def _report(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Build a release; exit with 1 if that fails."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description=__doc__)
    parser.add_argument("version", help="that of the checkout")
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="a folder that does not exist")
    parser.add_argument("--arch", choices=ARCHITECTURES, action="append", help="for some processors only")
    given = parser.parse_args()
    if given.to.exists():
        parser.error(f"{given.to} exists")
    try:
        with tempfile.TemporaryDirectory(prefix="release-") as scratch:
            build_release(given.version, given.to, Path(scratch), given.arch or ARCHITECTURES, _report)
    except (BuildError, NoNotes, WrongVersion) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
