"""Requirements files: the dependencies of pyproject.toml, pinned by hash, without an index."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.lock import LOCKS

from .stack import ROOT

EXTRAS: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "optional-dependencies"
]


def pins(file: str) -> dict[str, str]:
    text = (ROOT / file).read_text(encoding="utf-8")
    return {canonicalize_name(m[1]): m[2] for m in re.finditer(r"^([A-Za-z0-9._-]+)==(\S+)", text, re.MULTILINE)}


@pytest.mark.parametrize("file", LOCKS)
def test_a_lock_satisfies_pyproject(file: str) -> None:
    locked = pins(file)
    for extra in LOCKS[file]:
        for requirement in map(Requirement, EXTRAS[extra]):
            assert locked[canonicalize_name(requirement.name)] in requirement.specifier, "run `make lock`"


@pytest.mark.parametrize("file", LOCKS)
def test_a_lock_pins_hashes_and_names_no_index(file: str) -> None:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    assert all(re.match(r"([A-Za-z0-9._-]+==\S+|    --hash=sha256:[0-9a-f]{64})", line) for line in lines)
    assert sum("--hash" in line for line in lines) >= len(pins(file))


def test_tests_run_on_the_versions_that_are_deployed() -> None:
    tested = pins("requirements-dev.txt")
    for file in ("layers/darkroom/requirements.txt", "layers/imaging/requirements.txt"):
        assert pins(file).items() <= tested.items()


def test_every_extra_is_locked() -> None:
    assert {extra for extras in LOCKS.values() for extra in extras} == set(EXTRAS)
