"""``python -m observability``: write the alarms and dashboards into template.yaml."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "layers" / "darkroom"))

from observability.template import written

TEMPLATE = Path(__file__).parents[1] / "template.yaml"


def main() -> None:
    """Rewrite what is between the marks, and nothing else."""
    TEMPLATE.write_text(written(TEMPLATE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
