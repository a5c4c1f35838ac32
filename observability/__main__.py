"""``python -m observability``: write the nested stack of alarms and dashboards."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "layers" / "darkroom"))

from observability.template import template

STACK = Path(__file__).parents[1] / "stacks" / "alarms.yaml"


def main() -> None:
    """Rewrite the file."""
    STACK.parent.mkdir(exist_ok=True)
    STACK.write_text(template(), encoding="utf-8")


if __name__ == "__main__":
    main()
