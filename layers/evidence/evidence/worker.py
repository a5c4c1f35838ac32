"""The process that reads an image: ``python -m evidence.worker FOLDER`` writes ``result.json``.

FOLDER has the files ``original`` and ``copy-0`` …, and ``request.json`` with the keys of the copies.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from evidence.analysis import analyse


def main(folder: Path) -> None:
    """Analyse the files in ``folder``."""
    keys: list[str] = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    copies = {key: (folder / f"copy-{number}").read_bytes() for number, key in enumerate(keys)}
    result = analyse((folder / "original").read_bytes(), copies)
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
