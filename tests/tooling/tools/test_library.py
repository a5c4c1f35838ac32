"""The progress of a run as it is shown, and the words of the command."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from darkroom.services.library.requests import Doing, Order, read_request
from tests.roles import create_role
from tools.library.__main__ import main
from tools.library.bar import LINE_EVERY_S, Bar, line
from tools.library.machine import Figures, Machine

HALF = Figures(total=40, succeeded=18, failed=2, running=4, started_s=1000.0)


def test_a_line_has_the_share_the_rate_and_what_is_left() -> None:
    text = line(HALF, 1060.0, width=10)
    assert text == "[#####.....] 20/40 batches, 2 failed, 4 running, 20.0/min, 1:00 left"


def test_what_is_left_of_hours_is_told_in_hours_and_of_nothing_not_at_all() -> None:
    assert line(HALF, 1000.0 + 2 * 3600).endswith("2:00:00 left")
    assert line(Figures(total=4, started_s=1000.0), 1060.0).endswith("? left")
    assert line(Figures(), 1060.0) == "listing ..."


def test_what_is_no_terminal_gets_a_line_now_and_then_and_the_last_one() -> None:
    out = io.StringIO()
    bar = Bar(out)
    for second in (0.0, 1.0, LINE_EVERY_S, LINE_EVERY_S + 1):
        bar.show(HALF, 1060.0 + second)
    bar.show(HALF, 1060.0 + LINE_EVERY_S + 2, last=True)
    bar.end()
    assert len(out.getvalue().splitlines()) == 3


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_one_line_that_moves_and_leaves_nothing_of_a_longer_one() -> None:
    out = Terminal()
    bar = Bar(out)
    bar.show(HALF, 1060.0)
    bar.show(Figures(), 1061.0)
    bar.end()
    first, second = out.getvalue().removesuffix("\n").split("\r")[1:]
    assert len(second) == len(first)
    assert second.rstrip() == "listing ..."
    assert out.getvalue().count("\n") == 1


PASSES = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Pass", "End": True}}})


def test_the_newest_execution_of_a_run_is_found_and_not_that_of_a_run_whose_name_goes_on(
    aws: Callable[[str], Any],
) -> None:
    client = aws("stepfunctions")
    role = create_role(aws("iam"), {"Service": "states.amazonaws.com"}, [])
    arn = client.create_state_machine(name="runs", definition=PASSES, roleArn=role)["stateMachineArn"]
    for name in ("moving-2-1700000000300", "moving-1700000000200", "moving-1700000000100", "other-1700000000400"):
        client.start_execution(stateMachineArn=arn, name=name, input="{}")
    machine = Machine(client, arn)
    assert str(machine.latest("moving")).endswith(":moving-1700000000200")
    assert str(machine.latest("moving-2")).endswith(":moving-2-1700000000300")
    assert machine.latest("nothing") is None


def test_an_execution_is_started_with_what_the_state_machine_reads(aws: Callable[[str], Any]) -> None:
    client = aws("stepfunctions")
    role = create_role(aws("iam"), {"Service": "states.amazonaws.com"}, [])
    arn = client.create_state_machine(name="started", definition=PASSES, roleArn=role)["stateMachineArn"]
    machine = Machine(client, arn)
    started = machine.start("one", Order(Doing.PRESETS, "a/"), concurrency=3, tolerated=1.5, batch=7)
    assert machine.latest("one") == started
    asked = machine.asked(started)
    request = read_request({"action": "list", **asked})
    assert (request.concurrency, request.tolerated_percent, request.batch) == (3, 1.5, 7)
    assert request.order == Order(Doing.PRESETS, "a/")
    assert machine.figures(started) == Figures()


def test_without_a_stack_on_this_machine_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--local", "--state-dir", str(tmp_path), "some-run"]) == 2
    assert "make run" in capsys.readouterr().err
