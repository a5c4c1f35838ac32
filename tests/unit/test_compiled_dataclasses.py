"""Stored code of dataclasses' methods: used where its text is known, and replaced by nothing else."""

from __future__ import annotations

import dataclasses
import marshal
from collections.abc import Callable
from pathlib import Path

import pytest

from darkroom.compiled_dataclasses import install, use_compiled


@pytest.fixture(autouse=True)
def compiled_as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore after each test what the package may have installed."""
    monkeypatch.setitem(vars(dataclasses), "exec", exec)


def make_point() -> type:
    @dataclasses.dataclass(frozen=True, slots=True)
    class Point:
        x: int
        y: int = 2

    return Point


def make_name() -> type:
    @dataclasses.dataclass
    class Name:
        text: str

    return Name


def record(make: Callable[[], type]) -> dict[str, bytes]:
    """The code that ``make`` compiles, by text."""
    found: dict[str, bytes] = {}

    def execute(text: str, *scopes: object) -> None:
        found[text] = marshal.dumps(compile(text, "<string>", "exec"))
        exec(text, *scopes)  # type: ignore[arg-type]

    vars(dataclasses)["exec"] = execute
    make()
    vars(dataclasses)["exec"] = exec
    return found


def test_a_class_of_stored_code_is_the_same_class() -> None:
    use_compiled(record(make_point))
    point = make_point()(1)
    assert repr(point) == "make_point.<locals>.Point(x=1, y=2)"
    assert dataclasses.replace(point, x=3) == type(point)(3, 2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.x = 4


def test_only_a_text_that_is_stored_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    use_compiled(record(make_point))
    executed: list[type] = []
    original = exec
    monkeypatch.setattr("builtins.exec", lambda code, *scopes: (executed.append(type(code)), original(code, *scopes)))
    make_point()
    make_name()
    assert [kind.__name__ for kind in executed] == ["code", "str"]


def test_without_a_file_nothing_changes(tmp_path: Path) -> None:
    install(str(tmp_path / "none"))
    assert vars(dataclasses)["exec"] is exec


def test_the_file_has_the_code_by_text(tmp_path: Path) -> None:
    file = tmp_path / "stored"
    file.write_bytes(marshal.dumps(record(make_name)))
    install(str(file))
    assert vars(dataclasses)["exec"] is not exec
    assert make_name()("a").text == "a"
