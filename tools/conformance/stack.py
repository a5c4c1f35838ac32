"""The stack that is validated: one of its own, with the validator's picture taken in as any other is."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.aws import Cloud
from local.place import ROOT
from local.ports import free_ports
from tools import local_stack

PICTURE = ROOT / "tests" / "cases" / "iiif" / "67352ccc-d1b0-11e1-89ae-279075081939.png"
"""What the validator asks for, by the name of the file without ``.png``."""

STARTS_WITHIN_S = 600.0
TAKEN_IN_WITHIN_S = 120.0
STOPS_WITHIN_S = 120.0


class NoStack(Exception):
    """It did not start, or did not take the picture in."""


@contextmanager
def running(state: Path) -> Iterator[str]:
    """The address of a stack with its data in ``state``, which lets anybody ask for anything. Raises NoStack."""
    cdn, aws = free_ports(2)
    command = [
        sys.executable,
        "-m",
        "local",
        "up",
        "--state-dir",
        str(state),
        "--port",
        str(cdn),
        "--aws-port",
        str(aws),
    ]
    options = ["--no-watch", "--no-inference", "--parameter", "IiifAccessMode=open"]
    log = state / "output.log"
    with log.open("wb") as output:
        process = subprocess.Popen([*command, *options], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)  # noqa: S603
    try:
        facts = _until(lambda: _facts(process, state), f"The stack did not start; see {log}", STARTS_WITHIN_S)
        _take_in(facts)
        yield str(facts["cdn_url"])
    except NoStack as error:
        raise NoStack(f"{error}\n{log.read_text()[-2000:]}") from None
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()


def _take_in(facts: dict[str, Any]) -> None:
    """Upload the picture, and wait until it is served. The first answer takes longest: the validator waits for 5 s."""
    s3 = Cloud(facts["aws_endpoint_url"]).s3
    bucket = facts["outputs"]["UploadsBucketName"]
    s3.put_object(Bucket=bucket, Key=PICTURE.stem, Body=PICTURE.read_bytes(), ContentType="image/png")

    def there() -> bool:
        try:
            s3.head_object(Bucket=facts["media_bucket"], Key=f"masters/{PICTURE.stem}")
        except ClientError:
            return False
        return True

    _until(there, "The picture was not taken in", TAKEN_IN_WITHIN_S)
    for rest in ("info.json", "full/max/0/default.jpg"):
        with urllib.request.urlopen(f"{facts['cdn_url']}/iiif/3/{PICTURE.stem}/{rest}", timeout=60) as answer:  # noqa: S310
            answer.read()


def _facts(process: subprocess.Popen[bytes], state: Path) -> dict[str, Any] | None:
    if process.poll() is not None:
        raise NoStack("The stack did not start")
    try:
        return dict(local_stack.read(state))
    except ValueError:
        return None


def _until[T](condition: Callable[[], T | None], otherwise: str, within_s: float) -> T:
    deadline_s = time.monotonic() + within_s
    while not (found := condition()):
        if time.monotonic() > deadline_s:
            raise NoStack(otherwise)
        time.sleep(0.2)
    return found
