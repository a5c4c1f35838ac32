"""Methods of dataclasses, compiled when the layer is built.

:mod:`dataclasses` writes the methods of a class as source text and compiles it each time the class is imported: for the
60 classes of the transform function that is a quarter of the time of its imports. The layer has the compiled code of
each text (``layers/darkroom/compile_dataclasses.py``). A text that it lacks is compiled as usual, so a missing or old
file changes nothing but the time. With it, :mod:`dataclasses` does without :mod:`inspect`, whose import takes 4 ms.
"""

from __future__ import annotations

import builtins
import marshal
import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

FILE = f"{__file__.rpartition('/')[0]}/dataclasses.{sys.implementation.cache_tag}.marshal"
"""The stored code: marshalled code objects by source text. Another Python has another name, as for a ``.pyc``."""


class _Inspect(ModuleType):
    """What :mod:`dataclasses` uses of :mod:`inspect`: one function, and more for classes without a docstring."""

    @staticmethod
    def get_annotations(of: type) -> dict[str, Any]:
        """Return the annotations of a class itself, as the original does."""
        return dict(vars(of).get("__annotations__") or {})

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module("inspect"), name)


def import_dataclasses() -> ModuleType:
    """Import :mod:`dataclasses` without :mod:`inspect`, unless one of them is imported already."""
    if "inspect" in sys.modules or "dataclasses" in sys.modules:
        return import_module("dataclasses")
    sys.modules["inspect"] = _Inspect("inspect")
    try:
        return import_module("dataclasses")
    finally:
        del sys.modules["inspect"]  # for other modules it is the original


def use_compiled(code_by_text: Mapping[str, bytes]) -> None:
    """Let :mod:`dataclasses` execute ``code_by_text`` where its text is known.

    It calls the built-in function ``exec`` once for each class (``_FuncBuilder.add_fns_to_class``).
    """

    def execute(text: str, *scopes: Any) -> None:
        code = code_by_text.get(text)
        # As dataclasses does; the code comes from a file of this package, like its bytecode.
        builtins.exec(text if code is None else marshal.loads(code), *scopes)  # noqa: S102, S302

    vars(import_dataclasses())["exec"] = execute


def install(file: str = FILE) -> None:
    """Use the code stored in ``file``, if it exists: in a layer, not in a checkout."""
    try:
        with open(file, "rb") as stored:  # noqa: PTH123 - pathlib would be a cold start's import
            code_by_text = marshal.load(stored)  # noqa: S302
    except OSError:
        return
    use_compiled(code_by_text)
