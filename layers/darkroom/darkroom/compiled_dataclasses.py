"""Methods of dataclasses, compiled when the layer is built.

:mod:`dataclasses` writes the methods of a class as source text and compiles it each time the class is imported: for the
70 classes of the transform function that is a quarter of the time of its imports. The layer has the compiled code of
each text (``layers/darkroom/compile_dataclasses.py``). A text that it lacks is compiled as usual, so a missing or old
file changes nothing but the time.
"""

from __future__ import annotations

import builtins
import dataclasses
import marshal
import sys
from collections.abc import Mapping
from typing import Any

FILE = f"{__file__.rpartition('/')[0]}/dataclasses.{sys.implementation.cache_tag}.marshal"
"""The stored code: marshalled code objects by source text. Another Python has another name, as for a ``.pyc``."""


def use_compiled(code_by_text: Mapping[str, bytes]) -> None:
    """Let :mod:`dataclasses` execute ``code_by_text`` where its text is known.

    It calls the built-in function ``exec`` once for each class (``_FuncBuilder.add_fns_to_class``).
    """

    def execute(text: str, *scopes: Any) -> None:
        code = code_by_text.get(text)
        # As dataclasses does; the code comes from a file of this package, like its bytecode.
        builtins.exec(text if code is None else marshal.loads(code), *scopes)  # noqa: S102, S302

    vars(dataclasses)["exec"] = execute


def install(file: str = FILE) -> None:
    """Use the code stored in ``file``, if it exists: in a layer, not in a checkout."""
    try:
        with open(file, "rb") as stored:  # noqa: PTH123 - pathlib would be a cold start's import
            code_by_text = marshal.load(stored)  # noqa: S302
    except OSError:
        return
    use_compiled(code_by_text)
