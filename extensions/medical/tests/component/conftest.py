"""The packages of the layer, pydicom's own files, and the service on buckets of MiniStack.

The layer's packages are installed in an environment of their own, since no other test needs them. Its interpreter is
that of the tests, so its packages are importable from the end of the path: those of the tests precede them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local import tool_venvs

tool_venvs.make_importable("medical")

from .world import World  # noqa: E402


@pytest.fixture(scope="package")
def world(aws: Callable[[str], Any], aws_environment: dict[str, str]) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws_environment.items():
            patch.setenv(name, value)
        yield World.build(aws, aws_environment)
