"""The popular function: deployed only with access logs and background re-encoding, with few permissions."""

from __future__ import annotations

import pytest

from darkroom_pipeline.operations.popular.service import FILE_TIME_S, read_window

from .stack import Stack
from .test_permissions import KEY, permissions, statements


def stack(**further: str) -> Stack:
    return Stack(**{"AccessLogDays": "7", **further})


@pytest.mark.parametrize(("logs", "refine", "there"), [("7", "on", True), ("0", "on", False), ("7", "off", False)])
def test_views_are_counted_where_there_are_logs_and_a_use_for_it(logs: str, refine: str, there: bool) -> None:
    found = {name for name in Stack(AccessLogDays=logs, Refine=refine).resources if name.startswith("Popular")}
    whole = {f"Popular{part}" for part in ("Function", "FunctionHourly", "FunctionHourlyPermission", "Logs", "Role")}
    assert found == (whole | {"PopularFunctionEventInvokeConfig"} if there else set())


def test_a_key_is_for_objects_alone() -> None:
    [statement] = [s for s in statements(stack(KmsKeyArn=KEY), "Popular") if s["Resource"] == KEY]
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert statement["Condition"]["StringEquals"]["kms:ViaService"] == "s3.eu-central-1.amazonaws.com"


def test_it_runs_every_hour_on_the_files_of_that_hour() -> None:
    """The schedule is as long as the window, so that each file is read once; a failed run is tried again."""
    found = stack()
    rule = found.properties("PopularFunctionHourly")
    window = read_window({"time": "2026-11-25T12:00:00Z"}, 0)
    assert rule["ScheduleExpression"] == "rate(1 hour)"
    assert window.until_s - window.since_s == 3_600
    assert found.properties("PopularFunctionEventInvokeConfig")["MaximumRetryAttempts"] > 0
    assert found.properties("PopularFunction")["Timeout"] > 2 * FILE_TIME_S
    [permission] = permissions(found, "Popular")
    assert (permission["Principal"], permission["SourceArn"]) == ("events.amazonaws.com", "<PopularFunctionHourly.Arn>")


def test_the_monitor_pays_attention_to_it() -> None:
    assert ",popular=<PopularFunction>:512" in stack().variables("MonitorFunction")["FUNCTIONS"]
    assert "popular" not in Stack().variables("MonitorFunction")["FUNCTIONS"]
