"""``python -m observability``: write the nested stack of alarms and dashboards, and what they cost into docs/slo.md."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "layers" / "darkroom"))

from observability.billing import with_table
from observability.template import template

ROOT = Path(__file__).parents[1]
STACK, PAGE = ROOT / "stacks" / "alarms.yaml", ROOT / "docs" / "slo.md"


def main() -> None:
    """Rewrite the template, and the table in the page."""
    STACK.parent.mkdir(exist_ok=True)
    STACK.write_text(template(), encoding="utf-8")
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
