"""``python -m observability``: write the nested stack of alarms and dashboards, its cost, and what is monitored."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "layers" / "darkroom"))

from extensions import list_extensions
from observability.alarm_cost import insert_mapping, insert_table
from observability.extension_alarms import insert_alarms, insert_page
from observability.monitored_functions import insert_functions
from observability.owners import insert_owners
from observability.template import template

ROOT = Path(__file__).parents[1]
STACK, PAGE, TEMPLATE = ROOT / "stacks" / "alarms.yaml", ROOT / "docs" / "reference" / "slo.md", ROOT / "template.yaml"
OPERATIONS = ROOT / "docs" / "guides" / "operations" / "README.md"


def main() -> None:
    """Write the nested template, the mapping and the monitor's functions in the root, and the tables of pages."""
    STACK.parent.mkdir(exist_ok=True)
    STACK.write_text(template(), encoding="utf-8")
    root = TEMPLATE.read_text(encoding="utf-8")
    TEMPLATE.write_text(insert_functions(insert_mapping(root)), encoding="utf-8")
    for one in list_extensions():
        one.template.write_text(insert_alarms(one.template.read_text(encoding="utf-8"), one), encoding="utf-8")
    page = insert_table(PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(insert_page(page), encoding="utf-8")
    OPERATIONS.write_text(insert_owners(OPERATIONS.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
