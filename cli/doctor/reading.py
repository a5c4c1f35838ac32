"""Read the facts of a stack. Nothing is changed."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator

from botocore.exceptions import BotoCoreError, ClientError

from cli.deployment import Deployment, MissingOutput
from cli.errors import describe
from cli.ingest_report.outcomes import queue_depth, queue_urls
from cli.settings import changes
from cli.settings.stacks import target_of
from cli.smoke.checks.delivery import answer_missing
from cli.smoke.failures import CheckFailed
from cli.smoke.world import world_of
from darkroom.aws.switches import NAMES, Switch
from darkroom.errors import DarkroomError
from darkroom.settings import InvalidSettings
from darkroom_pipeline.aws.switch_store import SwitchStore

from .facts import AlarmFact, Facts, ProbeFact, SettingsFact, Unread

WITHIN_S = 10.0
LETTERS = "_dead_letters"
UNCHECKED = "Unchecked:"
"""How CloudWatch's reason for the state of a new alarm begins."""


def read_facts(deployment: Deployment) -> Facts:
    """Read all facts; one that fails does not prevent the others."""
    return Facts(
        deployment.name,
        deployment.status,
        "all" if deployment.is_local else deployment.parameters.get("Alarms", ""),
        _read(lambda: _read_settings(deployment)),
        _read(lambda: _count_dead_letters(deployment)),
        _read(lambda: _read_switches(deployment)),
        _read(lambda: list(_read_console(deployment) if deployment.is_local else _read_alarms(deployment))),
        _read(deployment.read_configurations),
        _read(lambda: _probe(deployment)),
    )


def _read[T](read: Callable[[], T]) -> T | Unread:
    try:
        return read()
    except (BotoCoreError, ClientError, DarkroomError, MissingOutput, OSError) as error:
        return Unread(str(describe(error)))


def _read_settings(deployment: Deployment) -> SettingsFact:
    try:
        found = changes.check(target_of(deployment))
    except InvalidSettings as error:
        return SettingsFact(invalid=error.problems)
    return SettingsFact(found.version, found.stale, found.missing)


def _count_dead_letters(deployment: Deployment) -> dict[str, int]:
    sqs, urls = deployment.client("sqs"), queue_urls(deployment)
    return {
        name.removesuffix(LETTERS): queue_depth(sqs, url).total for name, url in urls.items() if name.endswith(LETTERS)
    }


def _read_switches(deployment: Deployment) -> dict[str, Switch]:
    board = SwitchStore(deployment.bucket("MediaBucketName"))
    return {name: board.read(name) for name in NAMES}


def _read_alarms(deployment: Deployment) -> Iterator[AlarmFact]:
    pages = deployment.client("cloudwatch").get_paginator("describe_alarms")
    for page in pages.paginate(AlarmNamePrefix=f"{deployment.name}-", AlarmTypes=["MetricAlarm", "CompositeAlarm"]):
        for one in (*page["MetricAlarms"], *page["CompositeAlarms"]):
            yield AlarmFact(one["AlarmName"], one["StateValue"], one.get("StateReason", "").startswith(UNCHECKED))


def _read_console(deployment: Deployment) -> Iterator[AlarmFact]:
    """The stack on this machine deploys no alarms; its console evaluates them, and acts on none without data."""
    url = f"{deployment.info['control_url']}/watch/alarms"
    with urllib.request.urlopen(url, timeout=WITHIN_S) as answer:  # noqa: S310, the address of stack.json
        for one in json.load(answer):
            yield AlarmFact(one["name"], one["state"], one["state"] == "INSUFFICIENT_DATA")


def _probe(deployment: Deployment) -> ProbeFact:
    """Request an image that does not exist: edge function, bucket and transform answer it with a 404."""
    try:
        return ProbeFact(answer_missing(world_of(deployment)))
    except CheckFailed as failed:
        return ProbeFact(failed=str(failed))
