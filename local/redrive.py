"""The running stack's dead letters, back to their queues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.redrive import redrive, summary

from .aws import Cloud

PAIRS = {f"{name}_dead_letters": name for name in ("ingest", "review", "purge", "refine", "infer")}
"""Queues by their names among the facts: dead letters, and where they came from."""


def redrive_all(facts: Mapping[str, Any], *, dry_run: bool) -> None:
    """Print every dead letter with its cause, and send it back unless ``dry_run``."""
    queues, sqs = facts["queues"], Cloud(facts["aws_endpoint_url"]).queues
    for dead, queue in ((dead, queue) for dead, queue in PAIRS.items() if dead in queues):
        urgent = queues.get(f"{queue}_priority", "")
        done = redrive(sqs, queues[dead], queues[queue], urgent_url=urgent, dry_run=dry_run)
        print(f"{queue}: {summary(done, dry_run=dry_run)}")
