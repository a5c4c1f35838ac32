"""The variable FUNCTIONS of the monitor in template.yaml: every other function with its memory, from its resource."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import Any

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

_MONITOR = "MonitorFunction"
_INDENT, _LINE_CHARACTERS = " " * 14, 104
_VARIABLE = re.compile(r"^          FUNCTIONS: !Sub\n(?:            .*\n)+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MonitoredFunction:
    """A function: ``memory`` is the number of MB, or the name of a number in the mapping Sizes."""

    logical_id: str
    memory: int | str
    condition: str

    @property
    def placeholder(self) -> str:
        """Return the name that stands for the function in the text, if it has a condition."""
        return self.logical_id.removesuffix("Function")

    @property
    def entry(self) -> str:
        """Return the entry for :func:`darkroom_pipeline.operations.functions.parse_functions`, with placeholders."""
        memory = f"${{{self.memory}}}" if isinstance(self.memory, str) else self.memory
        return f"{self.placeholder.lower()}=${{{self.logical_id}}}:{memory}"


def list_functions(template: str) -> list[MonitoredFunction]:
    """Return the functions of template.yaml except the monitor, in its order. Raises KeyError without MemorySize."""
    resources: dict[str, dict[str, Any]] = yaml_parse(template)["Resources"]
    return [
        MonitoredFunction(logical_id, _parse_memory(one["Properties"]["MemorySize"]), one.get("Condition", ""))
        for logical_id, one in resources.items()
        if one["Type"] == "AWS::Serverless::Function" and logical_id != _MONITOR
    ]


def _parse_memory(value: int | dict[str, list[Any]]) -> int | str:
    return value if isinstance(value, int) else str(value["Fn::FindInMap"][2])


def functions_variable(functions: list[MonitoredFunction]) -> str:
    """Return the lines of the variable: a text with an entry for each function, and what its placeholders mean."""
    always = ",".join(one.entry for one in functions if not one.condition)
    conditional = [one for one in functions if one.condition]
    text = always + "".join(f"${{{one.placeholder}}}" for one in conditional)
    # Break behind commas: YAML joins the lines of a quoted text that end with a backslash.
    lines = textwrap.wrap(text.replace(",", ", "), _LINE_CHARACTERS, break_long_words=False, break_on_hyphens=False)
    quoted = f"\\\n{_INDENT}".join(line.replace(", ", ",") for line in lines)
    sizes = sorted({one.memory for one in functions if isinstance(one.memory, str) and not one.condition})
    meanings = [f"{size}: {_find_size(size)}" for size in sizes]
    meanings += [f'{one.placeholder}: !If [{one.condition}, {_substitute(one)}, ""]' for one in conditional]
    listed = f"\n{_INDENT}".join(meanings)
    return f'          FUNCTIONS: !Sub\n            - "{quoted}"\n            - {listed}\n'


def _substitute(one: MonitoredFunction) -> str:
    text = f'",{one.entry}"'
    if isinstance(one.memory, int):
        return f"!Sub {text}"
    return f"!Sub [{text}, {{ {one.memory}: {_find_size(one.memory)} }}]"


def _find_size(name: str) -> str:
    return f"!FindInMap [Sizes, !Ref Size, {name}]"


def insert_functions(template: str) -> str:
    """Return template.yaml with the variable replaced. ValueError if it has none."""
    variable = functions_variable(list_functions(template))
    found, number = _VARIABLE.subn(lambda _: variable, template)
    if number != 1:
        raise ValueError("template.yaml has no variable FUNCTIONS")
    return found
