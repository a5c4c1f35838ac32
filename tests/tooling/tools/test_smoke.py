"""Tests of smoke checks without a stack: selection, results, and output."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from cli.main import main
from local.paths import ROOT
from tools.smoke.checks import GROUPS
from tools.smoke.images import Zeros, png
from tools.smoke.model import Check, CheckFailed, CheckSkipped, Outcome
from tools.smoke.report import INTERRUPTED
from tools.smoke.running import run_check, selected
from tools.smoke.session import check_stack
from tools.smoke.world import World


class Nowhere:
    """An empty stack that records whether it was cleaned up."""

    stack, region, folder, outputs = "darkroom", "eu-central-1", "smoke-1/", {"There": "x"}

    def __init__(self, left: tuple[str, ...] = ()) -> None:
        self.keys: list[str] = ["smoke-1/a"]
        self.left, self.is_clean = list(left), False

    def clean_up(self) -> list[str]:
        self.is_clean = True
        return self.left


def raising(error: BaseException) -> Callable[[World], str]:
    def run(_: World) -> str:
        raise error

    return run


PASSES = Check("passes", "it works", "nothing", lambda _: "seen")
FAILS = replace(PASSES, name="fails", run=raising(CheckFailed("no")))
BREAKS = replace(PASSES, name="breaks", run=raising(KeyError("field")))
SKIPS = replace(PASSES, name="skips", run=raising(CheckSkipped("not here")))
INTERRUPTS = replace(PASSES, name="interrupts", run=raising(KeyboardInterrupt()))


@pytest.mark.parametrize(
    ("check", "options", "outcome", "detail"),
    [
        (PASSES, (), Outcome.PASSED, "seen"),
        (FAILS, (), Outcome.FAILED, "no"),
        (BREAKS, (), Outcome.FAILED, "KeyError('field')"),
        (SKIPS, (), Outcome.SKIPPED, "not here"),
        (replace(FAILS, outputs=("There", "Elsewhere")), (), Outcome.SKIPPED, "the stack has no output Elsewhere"),
        (replace(PASSES, outputs=("There",)), (), Outcome.PASSED, "seen"),
        (replace(PASSES, option="large"), (), Outcome.SKIPPED, "it needs --large"),
        (replace(PASSES, option="large"), ("large",), Outcome.PASSED, "seen"),
    ],
)
def test_a_check_passes_fails_or_is_skipped(
    check: Check, options: tuple[str, ...], outcome: Outcome, detail: str
) -> None:
    result = run_check(check, cast(World, Nowhere()), options)
    assert (result.outcome, result.detail) == (outcome, detail)


@pytest.mark.parametrize(
    ("checks", "left", "status", "names"),
    [
        ([PASSES, SKIPS], (), 0, ["passes", "skips"]),
        ([FAILS, PASSES], (), 1, ["fails", "passes"]),
        ([PASSES], ("smoke-1/a: AccessDenied",), 1, ["passes"]),
        ([PASSES, INTERRUPTS, FAILS], (), INTERRUPTED, ["passes"]),
    ],
)
def test_whatever_happens_images_are_removed_and_the_report_is_whole(
    checks: list[Check], left: tuple[str, ...], status: int, names: list[str]
) -> None:
    world = Nowhere(left)
    report = check_stack(cast(World, world), [("group", check) for check in checks], ())
    assert (report.status, world.is_clean) == (status, True)
    document: dict[str, Any] = json.loads(json.dumps(report.document()))
    assert [one["name"] for one in document["checks"]] == names
    assert document["not_removed"] == list(left)
    text = "\n".join(report.lines())
    assert all(name in text for name in (*names, *left))


def test_images_are_removed_after_an_error_of_the_command_itself() -> None:
    world = Nowhere()
    with pytest.raises(ZeroDivisionError):
        check_stack(cast(World, world), [("group", replace(PASSES, run=raising(ZeroDivisionError())))], ())
    assert world.is_clean


def test_checks_are_chosen_by_name_or_group() -> None:
    groups = {"one": (PASSES, FAILS), "two": (SKIPS,)}
    assert [check.name for _, check in selected(groups, [])] == ["passes", "fails", "skips"]
    assert [check.name for _, check in selected(groups, ["two", "fails"])] == ["fails", "skips"]
    with pytest.raises(ValueError, match="no check four"):
        selected(groups, ["four"])


def test_the_command_needs_a_stack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["smoke", "--state-dir", str(tmp_path)]) == 4
    assert "No stack runs" in capsys.readouterr().err
    assert main(["smoke", "--only", "nothing"]) == 2
    assert main(["smoke", "--list", "--only", "removal"]) == 0
    assert all(line.startswith("removal/") for line in capsys.readouterr().out.splitlines())


def test_each_check_is_in_the_list_of_what_is_unverified() -> None:
    names = [check.name for checks in GROUPS.values() for check in checks]
    assert len(names) == len(set(names))
    text = (ROOT / "docs" / "getting-started" / "deploy.md").read_text()
    section = text.partition("## Unverified on AWS")[2].partition("\n## ")[0]
    assert sorted(set(names) - set(re.findall(r"`([a-z-]+)`", section))) == []


def test_images_are_png_files() -> None:
    for noise in (False, True):
        body = png(40, 30, 20_001, noise=noise)
        assert body.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
        assert (int.from_bytes(body[16:20]), int.from_bytes(body[20:24])) == (40, 30)
        start = body.index(b"IDAT") + 4
        pixels = zlib.decompress(body[start : start + int.from_bytes(body[start - 8 : start - 4])])
        assert len(pixels) == 30 * (1 + 3 * 40)
    assert png(40, 30, 1) != png(40, 30, 2)
    assert len(png(40, 30, 1, noise=True)) > 3 * 40 * 30


def test_zeros_are_a_file() -> None:
    file = Zeros(10)
    assert (file.read(4), file.tell(), file.read(), file.read(1)) == (bytes(4), 4, bytes(6), b"")  # terms: allow
    assert file.seek(-3, 2) == 7
    assert file.read(100) == bytes(3)
