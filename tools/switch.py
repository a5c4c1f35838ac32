"""Turn a switch that functions read at run time, or see how they stand.

``python -m tools.switch --bucket <media bucket>``, ``… presets-only on --for 60 --by ada --reason "a storm"``, ``…
presets-only off --by ada``. What is on goes off by itself when its time is over. With ``--audit <audit bucket>`` it is
written down who turned what.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "layers" / "darkroom"))

from darkroom.aws.audit import OVERRIDE, AuditLog
from darkroom.aws.s3 import S3Bucket
from darkroom.aws.switches import NAMES, Switch, SwitchStore
from darkroom.errors import DarkroomError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FOR_MINUTES = 60


def main(arguments: Sequence[str] | None = None, *, s3: S3Client | None = None) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.switch", description=__doc__.partition("\n")[0])
    parser.add_argument("--bucket", required=True, help="the media bucket (the stack's output MediaBucketName)")
    parser.add_argument("--audit", metavar="BUCKET", help="the audit bucket (the stack's output AuditBucketName)")
    parser.add_argument("name", nargs="?", choices=NAMES)
    parser.add_argument("state", nargs="?", choices=("on", "off"))
    parser.add_argument("--for", type=float, default=FOR_MINUTES, metavar="MINUTES", dest="minutes", help="how long")
    parser.add_argument("--by", help="who turns it")
    parser.add_argument("--reason", default="", help="why, for whoever finds it on")
    chosen = parser.parse_args(arguments)
    if chosen.name and not (chosen.state and chosen.by):
        parser.error(f"{chosen.name} needs on or off, and --by")
    client = s3 or boto3.client("s3")
    board = SwitchStore(S3Bucket(client, chosen.bucket))
    try:
        if chosen.name:
            turned = _switch(chosen.state == "on", chosen.by, chosen.reason, chosen.minutes * 60)
            board.write(chosen.name, turned)
            if chosen.audit:
                audit = AuditLog(S3Bucket(client, chosen.audit))
                audit.write(
                    OVERRIDE,
                    f"switch {chosen.name}",
                    chosen.by,
                    on=turned.on,
                    reason=turned.reason,
                    until_s=turned.until_s,
                )
        for name in NAMES:
            sys.stdout.write(_line(name, board.read(name)) + "\n")
    except (DarkroomError, ClientError, BotoCoreError) as error:
        detail = error.detail if isinstance(error, DarkroomError) else ""
        sys.stderr.write(f"{error} {detail}".strip() + "\n")
        return 1
    return 0


def _switch(on: bool, by: str, reason: str, lasts_s: float) -> Switch:
    now_s = time.time()
    at = datetime.fromtimestamp(now_s, UTC).isoformat(timespec="seconds")
    return Switch(on, by, reason, at, now_s + lasts_s if on else 0)


def _line(name: str, switch: Switch) -> str:
    if not switch.is_on_at(time.time()):
        return f"{name}: off"
    until = (
        datetime.fromtimestamp(switch.until_s, UTC).isoformat(timespec="seconds") if switch.until_s else "turned off"
    )
    return f"{name}: on until {until}, by {switch.by}" + (f": {switch.reason}" if switch.reason else "")


if __name__ == "__main__":
    sys.exit(main())
