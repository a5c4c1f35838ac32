"""The state machine of bulk jobs, in the template as SAM transforms it."""

from __future__ import annotations

from typing import Any

import pytest

from darkroom.errors import BadRun, GaveUp, Unfinished, Unsettled
from darkroom.image_keys import LIBRARY
from darkroom_pipeline.bulk.messages import parse_request

from .stack import Stack

FUNCTION = "<LibraryFunction.Arn>"


def definition(**parameters: str) -> dict[str, Any]:
    return Stack(**parameters).state_machine("LibraryMachine")


def batch() -> dict[str, Any]:
    found: dict[str, Any] = definition()["States"]["Work"]["ItemProcessor"]["States"]["Batch"]
    return found


def test_it_lists_works_and_reports_however_the_work_ends() -> None:
    states = definition()["States"]
    assert states["List"]["Next"] == "Anything"
    assert (states["Anything"]["Choices"][0]["Next"], states["Anything"]["Default"]) == ("Work", "Report")
    assert states["Work"]["Next"] == "Report"
    [caught] = states["Work"]["Catch"]
    assert (caught["ErrorEquals"], caught["Next"]) == (["States.ALL"], "ReportOfStopped")
    assert states["ReportOfStopped"]["Next"] == "Stopped"
    assert states["Stopped"]["Type"] == "Fail"


def test_what_it_hands_on_is_what_the_function_reads() -> None:
    given = {"run": "r", "order": {"operation": "presets"}, "concurrency": 0, "tolerated": 5, "batch": 25}
    given |= {"number": "000000", "keys": ["a.jpg"], "stopped": {"Error": "States.Timeout", "Cause": ""}}
    states = definition()["States"]
    for parameters in (states["List"]["Parameters"], states["Work"]["ItemSelector"], states["Report"]["Parameters"]):
        names = {name.removesuffix(".$") for name in parameters} - {"action"}
        request = parse_request({"action": parameters["action"], **{name: given[name] for name in names}})
        assert request.job == "r"
    assert states["ReportOfStopped"]["Parameters"]["stopped.$"] == states["Work"]["Catch"][0]["ResultPath"]


def test_batches_are_read_from_where_they_are_written_and_results_go_there_too() -> None:
    work = definition()["States"]["Work"]
    assert work["ItemReader"]["Parameters"] == {"Bucket": "<MediaBucket>", "Key.$": "$.todo"}
    assert work["ItemReader"]["ReaderConfig"] == {"InputType": "JSONL"}
    assert f"'{LIBRARY}{{}}/map'" in work["ResultWriter"]["Parameters"]["Prefix.$"]
    assert (work["MaxConcurrencyPath"], work["ToleratedFailurePercentagePath"]) == ("$.concurrency", "$.tolerated")


@pytest.mark.parametrize(("error", "tries"), [(GaveUp, 0), (BadRun, 0), (Unsettled, 60), (Unfinished, 12)], ids=str)
def test_a_batch_is_tried_again_by_the_name_of_its_error(error: type[Exception], tries: int) -> None:
    names = (error.__name__, "States.ALL")
    [found, *_] = [one for one in batch()["Retry"] if any(name in one["ErrorEquals"] for name in names)]
    assert found["MaxAttempts"] == tries


def test_a_worker_has_longer_than_its_function_and_a_run_lasts_longer_than_five_minutes() -> None:
    assert batch()["TimeoutSeconds"] > int(Stack().properties("LibraryFunction")["Timeout"])
    processor = definition()["States"]["Work"]["ItemProcessor"]["ProcessorConfig"]
    assert processor == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


def test_its_role_calls_one_function_and_starts_itself() -> None:
    [policy] = Stack().properties("LibraryMachineRole")["Policies"]
    found = {statement["Sid"]: statement["Resource"] for statement in policy["PolicyDocument"]["Statement"]}
    assert found["CallWorkers"] == FUNCTION
    assert found["StartChildren"].endswith("-library")
    assert found["StartChildren"].rpartition(":")[2] == Stack().properties("LibraryMachine")["StateMachineName"]
    assert found["ReadBatchesAndWriteResults"] == "<MediaBucket.Arn>/library/*"


def test_another_bucket_is_read_where_one_is_named_and_only_then_are_uploads_written() -> None:
    for name, expected in (("", False), ("photos", True)):
        stack = Stack(LibraryBucket=name)
        [policy] = stack.properties("LibraryRole")["Policies"]
        found = {statement["Sid"] for statement in policy["PolicyDocument"]["Statement"]}
        assert ({"ListBackfill", "ReadBackfill", "CopyIntoUploads"} <= found) is expected


def test_runs_expire() -> None:
    rules = Stack().properties("MediaBucket")["LifecycleConfiguration"]["Rules"]
    [rule] = [rule for rule in rules if rule.get("Prefix") == LIBRARY]
    assert rule["ExpirationInDays"] == 30
