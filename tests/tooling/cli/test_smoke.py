"""Tests of smoke checks without a stack: selection, results, and output."""

from __future__ import annotations

import json
import re
import shlex
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import boto3
import pytest

from cli.main import main
from cli.smoke.checks import GROUPS
from cli.smoke.failures import CheckFailed, CheckSkipped
from cli.smoke.images import Zeros, png
from cli.smoke.model import Check, Outcome
from cli.smoke.plan import list_commands, list_steps
from cli.smoke.report import INTERRUPTED
from cli.smoke.running import run_check, selected
from cli.smoke.session import check_stack
from cli.smoke.world import World
from extensions import list_extensions
from local.paths import ROOT

STEPS = list_steps()


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
LACKS = replace(PASSES, name="lacks", run=raising(ModuleNotFoundError("No module named 'awscrt'")))
SKIPS = replace(PASSES, name="skips", run=raising(CheckSkipped("not here")))
INTERRUPTS = replace(PASSES, name="interrupts", run=raising(KeyboardInterrupt()))


@pytest.mark.parametrize(
    ("check", "options", "outcome", "detail"),
    [
        (PASSES, (), Outcome.PASSED, "seen"),
        (FAILS, (), Outcome.FAILED, "no"),
        (BREAKS, (), Outcome.FAILED, "KeyError('field')"),
        (LACKS, (), Outcome.FAILED, "ModuleNotFoundError(\"No module named 'awscrt'\")"),
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


def test_names_of_checks_are_distinct() -> None:
    names = [check.name for checks in GROUPS.values() for check in checks]
    assert len(names) == len(set(names))


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


def test_every_extension_has_a_check() -> None:
    modules = {one.name: one.load("smoke") for one in list_extensions()}
    assert all(module is not None for module in modules.values())
    names = [module.CHECK.name for module in modules.values() if module is not None]
    assert [check.name for check in GROUPS["further"]] == [*names, "source"]


def test_the_plan_has_each_check_once_and_begins_with_doubts() -> None:
    planned = [name for step in STEPS for name in step.checks]
    planned += ["large-refused-upload"]
    assert sorted(planned) == sorted(check.name for checks in GROUPS.values() for check in checks)
    titles = " ".join(step.title for step in STEPS[:7])
    assert all(part in titles for part in ("aws:SourceAccount", "arm64", "extension", "encoded keys", "KeyValueStore"))
    assert all(step.doubt and (step.expected or step.checks) for step in STEPS)
    assert sum(step.minutes for step in STEPS) <= 5 * 60


@pytest.mark.parametrize("command", [command for step in STEPS for command in list_commands(step, "s", "eu-west-1")])
def test_commands_of_the_plan_name_stack_and_region(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    name, *words = shlex.split(command)
    if name == "./darkroom":
        assert "--stack s --region eu-west-1" in command
        assert main([*words, "--help"]) == 0
        page = capsys.readouterr().out
        assert all(word in page for word in words if word.startswith("--") and word not in ("--stack", "--region"))
    elif name in ("sam", "aws"):
        assert words == ["build"] or "--region eu-west-1" in command
    else:
        page_name, section = re.findall(r"(\S+\.md), section (.*?)(?:,|$)", command)[0]
        assert f"\n## {section}\n" in (ROOT / page_name).read_text()


def test_the_plan_is_printed_without_a_stack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["smoke", "--plan", "--state-dir", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("1. ")
    assert [line for line in lines if re.match(r"\d+\. ", line)] == [
        f"{number}. {step.title} ({step.minutes} min)" for number, step in enumerate(STEPS, 1)
    ]
    assert main(["smoke", "--plan", "--json", "--stack", "s", "--region", "eu-west-1"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert len(document["steps"]) == len(STEPS)


def test_objects_of_the_run_are_deleted_in_all_versions(aws: Callable[[str], Any]) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="smoke-objects")
    s3.put_bucket_versioning(Bucket="smoke-objects", VersioningConfiguration={"Status": "Enabled"})
    for key in ("smoke-1/a", "smoke-1/a", "smoke-2/b"):
        s3.put_object(Bucket="smoke-objects", Key=key, Body=b"1")
    s3.delete_object(Bucket="smoke-objects", Key="smoke-1/a")
    world = World("s", "eu-central-1", "", "", {}, {}, boto3.Session(), objects=[("smoke-objects", "smoke-1/")])
    world.objects.append(("no-such-bucket", "smoke-1/"))
    world.client = aws  # type: ignore[method-assign]
    [left] = world.clean_up()
    assert left.startswith("s3://no-such-bucket/smoke-1/: ")
    found = s3.list_object_versions(Bucket="smoke-objects")
    assert [one["Key"] for one in found.get("Versions", [])] == ["smoke-2/b"]
    assert "DeleteMarkers" not in found
