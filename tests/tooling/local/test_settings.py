"""The settings document and the intervals of a local stack, on MiniStack."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.settings.stacks import Target
from cli.settings.store import SettingsStore
from cloudfront_local.hosts import Hosts
from darkroom.plan import presets
from darkroom.services.live_settings import CURRENT
from darkroom.settings import DEFAULTS as OF_THE_CODE
from darkroom.settings import parse_settings
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.experiments.runs import Decision, Decisions, RunStore
from darkroom_pipeline.experiments.statistics import Bounds
from darkroom_pipeline.services.edge_publication import entries_of
from local import changed_defaults, intervals, settings, settings_file
from local.aws import Cloud
from local.errors import StartError
from local.paths import STACK
from local.settings_file import SettingsFile
from tests.waiting import HANG_S

TEMPLATE = {
    "Parameters": {
        "Size": {"Type": "String", "Default": "standard"},
        "AccessLogDays": {"Type": "Number", "Default": 0},
        "KmsKeyArn": {"Type": "String", "Default": ""},
    },
    "Resources": {
        "MediaBucket": {"Type": "AWS::S3::Bucket"},
        "FindingsStore": {"Type": "AWS::CloudFront::KeyValueStore", "Properties": {"Name": "of-settings"}},
        "RefineQueue": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 300}},
        "MonitorFunctionRegularly": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "ScheduleExpression": "rate(5 minutes)",
                "State": "ENABLED",
                "Targets": [{"Id": "monitor", "Arn": "arn:aws:lambda:us-east-1:000000000000:function:monitor"}],
            },
        },
    },
    "Outputs": {
        "MediaBucketName": {"Value": {"Ref": "MediaBucket"}},
        "FindingsStoreArn": {"Value": {"Fn::GetAtt": ["FindingsStore", "Arn"]}},
    },
}

PARAMETERS: list[Any] = [{"ParameterKey": "AccessLogDays", "ParameterValue": "1"}]


@pytest.fixture
def cloud(ministack_url: str) -> Iterator[Cloud]:
    """Create a stack in MiniStack with the resources of settings and intervals."""
    found = Cloud(ministack_url)
    found.cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(TEMPLATE), Parameters=PARAMETERS)
    found.cloudformation.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    yield found
    bucket = output(found, "MediaBucketName")
    for one in found.s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        found.s3.delete_object(Bucket=bucket, Key=one["Key"])
    found.cloudformation.delete_stack(StackName=STACK)


def output(cloud: Cloud, name: str) -> str:
    return cloud.read_outputs(STACK)[name]


def document(cloud: Cloud) -> dict[str, object]:
    body = cloud.s3.get_object(Bucket=output(cloud, "MediaBucketName"), Key=CURRENT)["Body"].read()
    found: dict[str, object] = json.loads(body)
    return found


def test_the_first_start_enables_dialects_and_later_ones_change_nothing(cloud: Cloud) -> None:
    settings.ensure(cloud, {})
    assert document(cloud)["settings"] == settings.DEFAULTS
    settings.ensure(cloud, {})
    assert document(cloud)["number"] == 1
    settings.ensure(cloud, {"access_mode": "open"})
    assert document(cloud)["settings"] == {**settings.DEFAULTS, "access_mode": "open"}
    settings.ensure(cloud, {})
    assert document(cloud)["number"] == 2
    entries = entries_of(parse_settings({"access_mode": "open"}))
    assert cloud.edge_store(output(cloud, "FindingsStoreArn")).read() == entries


@pytest.mark.slow
def test_presets_that_were_saved_since_the_start_are_published(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that runs the stack read presets.toml when it started."""
    settings.ensure(cloud, {})
    text = presets.read_presets_file() + "\n[presets.saved-later]\nw = 123\n"
    monkeypatch.setattr(presets, "read_presets_file", lambda: text)
    settings.ensure(cloud, {"keep_gps": True})
    entries = cloud.edge_store(output(cloud, "FindingsStoreArn")).read()
    presets.load_default_presets.cache_clear()
    assert "saved-later" in str(entries)


def test_a_deployment_keeps_the_decisions_of_experiments(cloud: Cloud) -> None:
    table = {
        "presets": {"wide": {"w": 320}, "tall": {"h": 320}},
        "experiments": {"hero": {"variants": {"wide": 1, "tall": 1}}},
    }
    settings.ensure(cloud, table)
    [hero] = parse_settings(table).experiments
    made = Decision("wide", "tall", 1.0, Bounds(0.5, 0.9), {})
    RunStore(S3Bucket(cloud.s3, output(cloud, "MediaBucketName"))).write_decisions(hero, Decisions((made,), done=1))
    settings.ensure(cloud, {"keep_gps": True})
    entries = cloud.edge_store(output(cloud, "FindingsStoreArn")).read()
    assert entries["exp-hero"] == hero.format_entry(["wide"])


@pytest.fixture
def file(cloud: Cloud, tmp_path: Path) -> SettingsFile:
    settings.ensure(cloud, {})
    target = Target(
        SettingsStore(S3Bucket(cloud.s3, output(cloud, "MediaBucketName"))),
        cloud.edge_store(output(cloud, "FindingsStoreArn")),
        {},
        lambda _: True,
    )
    found = SettingsFile(tmp_path / "settings.toml", target)
    found.refresh()
    return found


def save(file: SettingsFile, addition: str) -> str:
    """Add lines before the first table of the file, and apply it."""
    file.path.write_text(file.path.read_text(encoding="utf-8") + addition, encoding="utf-8")
    return file.apply()


def test_a_saved_file_is_in_force_at_once(cloud: Cloud, file: SettingsFile) -> None:
    assert file.apply() == ""
    said = save(file, 'access_mode = "open"\n')
    assert said.startswith("Version 2 of the settings is in force")
    assert '+access_mode = "open"' in said
    assert document(cloud)["settings"] == {**settings.DEFAULTS, "access_mode": "open"}
    assert cloud.edge_store(output(cloud, "FindingsStoreArn")).read() == entries_of(
        parse_settings({"access_mode": "open"})
    )
    assert save(file, "# a comment\n") == ""
    assert document(cloud)["number"] == 2


@pytest.mark.slow
def test_a_running_stack_applies_what_is_saved(cloud: Cloud, file: SettingsFile) -> None:
    """A broken document does not end the stack, and a comparison follows each save."""
    said: list[str] = []

    async def run() -> None:
        task = asyncio.create_task(settings_file.watch(file, Hosts(()), said.append))
        async with asyncio.timeout(HANG_S):
            await asyncio.to_thread(file.path.write_text, file.path.read_text() + "keep_gps = true\n")
            while not said:
                await asyncio.sleep(0.05)
            cloud.s3.put_object(Bucket=output(cloud, "MediaBucketName"), Key=CURRENT, Body=b"{")
            while len(said) < 2:
                await asyncio.to_thread(file.path.touch)
                await asyncio.sleep(0.2)
        assert not task.done()
        task.cancel()

    asyncio.run(run())
    assert said[0].startswith("Version 2 of the settings is in force")
    assert said[1].startswith("The settings document is invalid: ")


@pytest.mark.slow
def test_an_invalid_file_changes_nothing_and_is_reported_once(cloud: Cloud, file: SettingsFile) -> None:
    line = file.path.read_text(encoding="utf-8").count("\n") + 1
    said = save(file, "keep_gps = 1\n")
    assert said.splitlines() == [
        f"{file.path}:{line}: keep_gps: keep_gps: must be true or false, not 1",
        "The settings before stay in force.",
    ]
    assert file.apply() == ""
    assert f"{file.path}:{line + 1}: " in save(file, "keep_gps = \n")
    assert document(cloud)["number"] == 1
    file.refresh()
    assert "keep_gps" in file.path.read_text(encoding="utf-8"), "a change that is not in force is not overwritten"


def test_settings_that_change_otherwise_are_written_and_not_overwritten(cloud: Cloud, file: SettingsFile) -> None:
    settings.ensure(cloud, {"keep_gps": True})
    assert "not applied, because version 2 of local" in save(file, 'metadata = "rights"\n')
    assert document(cloud)["settings"] == {**settings.DEFAULTS, "keep_gps": True}
    file.path.unlink()
    assert file.apply() == ""
    file.refresh()
    assert "keep_gps = true" in file.path.read_text(encoding="utf-8")
    settings.ensure(cloud, {"keep_gps": False})
    file.refresh()
    assert "keep_gps = false" in file.path.read_text(encoding="utf-8")


def test_the_monitor_and_re_encoding_have_local_intervals(cloud: Cloud) -> None:
    intervals.adjust(cloud)
    found = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in _resources(cloud)}
    assert (
        cloud.events.describe_rule(Name=found["MonitorFunctionRegularly"])["ScheduleExpression"]
        == intervals.MONITOR_SCHEDULE
    )
    [target] = cloud.events.list_targets_by_rule(Rule=found["MonitorFunctionRegularly"])["Targets"]
    assert (target["Id"], target["Input"]) == ("monitor", intervals.MONITOR_INPUT)
    answer = cloud.queues.get_queue_attributes(QueueUrl=found["RefineQueue"], AttributeNames=["DelaySeconds"])
    assert answer["Attributes"]["DelaySeconds"] == str(intervals.REENCODE_DELAY_S)


def _resources(cloud: Cloud) -> list[dict[str, str]]:
    described = cloud.cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
    return [{name: str(value) for name, value in one.items()} for one in described]


def test_the_banner_lists_what_differs_from_the_defaults(cloud: Cloud) -> None:
    """Values that are given and equal their default are not listed, tables by their name only."""
    same = {"access_mode": OF_THE_CODE.access_mode, "tasks": list(OF_THE_CODE.tasks)}
    settings.ensure(cloud, {**same, "keep_gps": True, "watermarks": {"logo": "watermarks/logo.png"}})
    assert changed_defaults.list_parameters(cloud) == ["AccessLogDays=1"]
    modes = [f"{name}=guarded" for name in settings.DEFAULTS if name.endswith("_mode")]
    found = changed_defaults.list_settings(cloud, output(cloud, "MediaBucketName"))
    assert found == [*modes, "library_concurrency=2", "keep_gps=true", "watermarks"]
    cloud.s3.put_object(Bucket=output(cloud, "MediaBucketName"), Key=CURRENT, Body=b"{")
    [problem] = changed_defaults.list_settings(cloud, output(cloud, "MediaBucketName"))
    assert "is not a settings document" in problem


def test_overrides_are_parameters_or_settings() -> None:
    given = ["Refine=off", "max_source_pixels=12000000", "access_mode=open", "keep_gps=true", 'tasks=["faces"]']
    parameters, changed = settings.split(given)
    assert parameters == ["Refine=off"]
    assert changed == {"max_source_pixels": 12_000_000, "access_mode": "open", "keep_gps": True, "tasks": ["faces"]}


@pytest.mark.parametrize("pair", ["acces_mode=open", "access_mode=closed", "max_source_pixels=many", "Prefixes=a"])
def test_an_invalid_setting_is_rejected(pair: str) -> None:
    with pytest.raises(StartError, match=pair.partition("=")[0]):
        settings.split([pair])


def test_the_local_defaults_are_valid() -> None:
    assert parse_settings(settings.DEFAULTS) != OF_THE_CODE
