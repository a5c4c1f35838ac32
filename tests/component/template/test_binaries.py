"""Built layers have what Lambda's loader needs, for both processors, and room for the next release of a library."""

from __future__ import annotations

import pytest

from .binaries import MACHINES, find_faults, is_given, list_files
from .building import Declared, build_layer, list_functions

MAX_FUNCTION_BYTES = 240 * 1024 * 1024
"""Lambda allows 250 MB (262,144,000 bytes), unzipped, for a function with its layers."""

MAX_LAYERS = 5 - 1

FUNCTIONS = list_functions()


@pytest.mark.slow
@pytest.mark.parametrize("arch", MACHINES)
@pytest.mark.parametrize("function", FUNCTIONS, ids=str)
def test_a_function_has_all_that_its_binaries_need_and_leaves_room(function: Declared, arch: str) -> None:
    layers = [build_layer(logical_id, arch) for logical_id in function.layers]
    assert find_faults(layers, arch) == []
    code = [path for path in function.code.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert sum(path.stat().st_size for path in (*list_files(layers).values(), *code)) <= MAX_FUNCTION_BYTES


@pytest.mark.parametrize(
    ("version", "given"),
    [
        ("GLIBC_2.34", True),
        ("GLIBC_2.4", True),
        ("GLIBC_2.36", False),  # of Debian's Expat
        ("GLIBCXX_3.4.29", True),
        ("GLIBCXX_3.4.30", False),
        ("GLIBC_ABI_DT_RELR", False),  # of glibc 2.36
        ("OTHER_1.0", False),
    ],
)
def test_versions_are_those_of_amazon_linux_2023(version: str, given: bool) -> None:
    assert is_given(version) == given


def test_every_function_leaves_a_layer_to_its_owner() -> None:
    """Lambda allows five layers. Datadog, OpenTelemetry and Lambda Insights each come as one."""
    assert len(FUNCTIONS) > 20
    assert {str(function): function.layers for function in FUNCTIONS if len(function.layers) > MAX_LAYERS} == {}
