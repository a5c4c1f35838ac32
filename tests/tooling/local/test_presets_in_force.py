"""The console and the ingest report use the presets of the settings document, not those of the build."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest
from aiohttp import web

from cli.ingest_report.outcomes import Stack
from cli.settings.store import SettingsStore
from darkroom.plan.presets import load_default_presets
from darkroom.services.live_settings import CURRENT
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.s3 import S3Bucket
from local.aws import Cloud
from local.control_pages import ControlPages
from local.stack_info import StackInfo

OWN = {
    "presets": {"tile": {"w": 333, "h": 333}, "card": {"w": 500, "f": "webp"}},
    "ingest": {"presets": ["card"]},
}


@pytest.fixture
def media(aws: Callable[[str], Any], aws_environment: dict[str, str]) -> S3Bucket:
    s3, bucket = create_client("s3", aws_environment), "presets-in-force"
    s3.create_bucket(Bucket=bucket)
    for found in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        s3.delete_object(Bucket=bucket, Key=found["Key"])
    return S3Bucket(s3, bucket)


def publish(media: S3Bucket) -> None:
    documents = SettingsStore(media)
    documents.write(OWN, replaces=documents.current(), by="test")


def test_the_console_returns_current_presets(media: S3Bucket, ministack_url: str) -> None:
    facts = cast(StackInfo, SimpleNamespace(media_bucket=media.bucket))
    control = ControlPages(Cloud(ministack_url), facts, Mock(), Mock(), Path())

    def options() -> tuple[int, dict[str, Any]]:
        answer = cast(Any, asyncio.run(control.options(Mock())))
        return answer.status, json.loads(answer.body)

    assert options()[1]["presets"] == list(load_default_presets().options)
    publish(media)
    found = options()[1]
    assert (found["presets"], found["at_ingest"]) == ([*load_default_presets().options, "tile", "card"], ["card"])
    media.put(CURRENT, b"{", headers={}, metadata={})
    assert options() == (200, found), "the last good document stays in force"


def test_the_console_signs_links_to_private_images_with_an_expiry(media: S3Bucket, ministack_url: str) -> None:
    documents = SettingsStore(media)
    documents.write({"private_prefixes": ["clients/"]}, replaces=documents.current(), by="test")
    facts = SimpleNamespace(media_bucket=media.bucket, signing_key="k" * 24, cdn_url="http://cdn")
    control = ControlPages(Cloud(ministack_url), cast(StackInfo, facts), Mock(), Mock(), Path())

    def sign(**query: str) -> dict[str, Any]:
        answer = cast(Any, asyncio.run(control.sign(cast(web.Request, SimpleNamespace(query=query)))))
        return cast(dict[str, Any], json.loads(answer.body))

    now_s = int(time.time())
    found = sign(target="/clients/17.jpg?w=640")
    assert (found["is_private"], now_s + 3600 <= found["expires_s"]) == (True, True)
    assert f"?w=640&exp={found['expires_s']}&s=" in found["target"]
    assert found["url"] == f"http://cdn{found['target']}"
    public = sign(target="/photo.jpg?w=641")
    assert (public["is_private"], public["expires_s"], "exp=" in public["target"]) == (False, None, False)
    ending = sign(target="/photo.jpg?w=641", **{"expires-in": "60"})
    assert now_s + 60 <= ending["expires_s"] < found["expires_s"]
    assert sign(target="/photo.jpg?what=1")["code"] == "unknown-option"


def test_the_console_rejects_an_invalid_document(media: S3Bucket, ministack_url: str) -> None:
    media.put(CURRENT, b"{", headers={}, metadata={})
    facts = cast(StackInfo, SimpleNamespace(media_bucket=media.bucket))
    answer = cast(Any, asyncio.run(ControlPages(Cloud(ministack_url), facts, Mock(), Mock(), Path()).options(Mock())))
    assert answer.status == 503
    assert "settings document invalid" in json.loads(answer.body)["detail"]


@pytest.mark.slow
def test_the_ingest_report_uses_current_presets(media: S3Bucket, ministack_url: str) -> None:
    def stack() -> Stack:
        return Stack(Cloud(ministack_url).s3, None, None, "", media.bucket, "", "", {}, "")

    assert stack().settings.presets.at_ingest == load_default_presets().at_ingest
    publish(media)
    assert stack().settings.presets.at_ingest == ("card",)
