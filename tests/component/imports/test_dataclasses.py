"""The import of dataclasses in a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys

from .test_architecture import PACKAGE


def test_dataclasses_are_imported_without_inspect_and_others_get_the_original() -> None:
    code = """
import json, sys
from darkroom.compiled_dataclasses import import_dataclasses
for name in ("dataclasses", "inspect"):
    sys.modules.pop(name, None)
dataclasses = import_dataclasses()
absent = "inspect" not in sys.modules
@dataclasses.dataclass
class Base:
    x: int = 1
@dataclasses.dataclass
class Derived(Base):
    y: "str" = "a"
documented = Derived.__doc__
import inspect
parameters = list(inspect.signature(Derived).parameters)
print(json.dumps([absent, documented, repr(Derived()), hasattr(inspect, "getsource"), parameters]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [
        True,
        "Derived(x: int = 1, y: 'str' = 'a')",
        "Derived(x=1, y='a')",
        True,
        ["x", "y"],
    ]
