"""Calls that sign and verify: each outside of images names its purpose."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[3]
SIGNING = {"sign_message": 3, "is_signed": 4}
"""Number of arguments with the purpose, which is the last one."""
OF_IMAGES = {"signing.py", "url_builder.py"}


def test_code_outside_of_images_names_a_purpose() -> None:
    """The default is for URLs of images alone."""
    found: list[tuple[str, bool]] = []
    for file in [
        path
        for folder in ("layers", "extensions", "functions", "tools", "cli", "local")
        for path in (ROOT / folder).rglob("*.py")
    ]:
        if file.name in OF_IMAGES or {"node_modules", "tests"} & {*file.parts}:
            continue
        found += [
            (file.name, len(call.args) == SIGNING[call.func.id])
            for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in SIGNING
        ]
    assert found
    assert [name for name, named in found if not named] == []
