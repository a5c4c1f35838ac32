"""The lists in docs/explanation/ingest.md and docs/reference/events.md match the code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from darkroom_pipeline.aws.record import CLAIMED, HELD, READY, REFUSED, REMOVED
from darkroom_pipeline.services.ingest.context import IngestOutcome
from darkroom_pipeline.services.ingest.events import EventKind, IngestEvent
from darkroom_pipeline.services.ingest.handler import handle_event
from local.paths import ROOT
from tests.announcements import SCHEMAS
from tests.images.photographs import jpeg_photo

from .ingest_environment import IngestEnvironment

PAGE = (ROOT / "docs" / "explanation" / "ingest.md").read_text(encoding="utf-8")


class EicarScanner:
    """A scanner that detects EICAR only."""

    def scan(self, data: bytes) -> str:
        return "Eicar-Signature" if b"EICAR" in data else ""


@pytest.fixture
def env(aws: Callable[[str], Any]) -> IngestEnvironment:
    return IngestEnvironment.build(aws)


def rows(page: str, title: str) -> list[str]:
    """The first cell of each row of the table under the heading ``title``, bare."""
    section = page.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def listed(page: str) -> set[str]:
    """The metrics that a page lists, several in a row where they belong together."""
    section = page.partition("## Monitoring\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\|([^|]+)\|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall("`([^`]+)`", cell)}


def named(metric_lines: str) -> dict[str, set[str]]:
    """The names of metrics in EMF lines, with their further dimensions."""
    found: dict[str, set[str]] = {}
    for document in (json.loads(line) for line in metric_lines.splitlines() if '"_aws"' in line):
        for directive in document["_aws"]["CloudWatchMetrics"]:
            for metric in directive["Metrics"]:
                found.setdefault(metric["Name"], set()).update(directive["Dimensions"][0])
    return {name: dimensions - {"service", "function"} for name, dimensions in found.items()}


def test_the_steps_are_those_of_the_page(env: IngestEnvironment) -> None:
    env.scanner = EicarScanner()
    context = env.context
    context.observer.begin()
    assert handle_event(context, env.change("a.jpg", env.upload("a.jpg", jpeg_photo()))) is IngestOutcome.READY
    assert list(context.observer.timings_ms) == rows(PAGE, "Steps")


@pytest.mark.slow
def test_the_steps_of_a_refusal_and_a_deletion(env: IngestEnvironment) -> None:
    assert "A refusal is `quarantine`, `index`, `announce`. A deletion is `remove`, `index`, `announce`." in PAGE
    context = env.context
    context.observer.begin()
    handle_event(context, env.change("a.jpg", env.upload("a.jpg", b"no image")))
    assert list(context.observer.timings_ms)[-3:] == ["quarantine", "index", "announce"]
    env.created("b.jpg", jpeg_photo())
    env.vault("uploads").delete("b.jpg")
    context.observer.begin()
    handle_event(context, env.change("b.jpg", env.next_sequencer(), "Object Deleted", "DeleteObject"))
    assert list(context.observer.timings_ms)[-3:] == ["remove", "index", "announce"]


@pytest.mark.slow
def test_the_steps_of_what_waits_and_of_its_release(env: IngestEnvironment) -> None:
    assert "`hold` in the place of `render`, `master` and `presets`" in PAGE
    assert "release is `release`, `decode`, `render`, `presets`, `index`, `announce`" in PAGE
    env.blocks = True
    context, body = env.context, jpeg_photo()
    context.observer.begin()
    handle_event(context, env.change("a.jpg", env.upload("a.jpg", body)))
    steps = [step for step in rows(PAGE, "Steps") if step not in ("render", "master", "presets", "scan")]
    steps.insert(steps.index("index"), "hold")
    assert list(context.observer.timings_ms) == steps
    env.judge("a.jpg", flagged=False, body=body)
    context.observer.begin()
    handle_event(context, IngestEvent(EventKind.VERDICT, "a.jpg", ""))
    assert list(context.observer.timings_ms) == ["claim", "release", "decode", "render", "presets", "index", "announce"]


def test_every_outcome_is_on_the_page() -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith("| `Handled` |"))
    assert set(re.findall("`([a-z]+)`", row)) == {"outcome", *IngestOutcome}


def test_every_state_is_on_the_page() -> None:
    assert set(rows(PAGE, "States")) == {CLAIMED, HELD, READY, REFUSED, REMOVED}


@pytest.mark.slow
def test_the_metrics_are_those_of_the_page(env: IngestEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    context = env.context
    handle_event(context, env.change("a.jpg", env.upload("a.jpg", jpeg_photo())))
    handle_event(context, env.change("b.jpg", env.upload("b.jpg", b"no image")))
    context.observer.flush()
    found = {
        name: dimensions for name, dimensions in named(capsys.readouterr().out).items() if not name.endswith("Time")
    }
    assert found == {
        "Handled": {"outcome"},
        "Refused": {"reason"},
        "RefusedByFormat": {"format"},
        "ClientErrors": set(),
        "Errors": {"code"},
        "UploadToReady": set(),
        "Timed": set(),
    }
    assert found.keys() <= listed(PAGE)


def test_the_codes_are_those_of_the_schema() -> None:
    page = (ROOT / "docs" / "reference" / "events.md").read_text(encoding="utf-8")
    assert set(rows(page, "ImageRefused")) == set(SCHEMAS["ImageRefused"]["properties"]["code"]["enum"])
