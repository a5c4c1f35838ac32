"""The stack that is validated: one of its own, with the validator's picture taken in as any other is."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import ClientError

from local import isolated_stack
from local.aws import Cloud
from local.isolated_stack import IsolatedStack, StackError
from local.paths import ROOT

PICTURE = ROOT / "tests" / "cases" / "iiif" / "67352ccc-d1b0-11e1-89ae-279075081939.png"
"""What the validator asks for, by the name of the file without ``.png``."""

PARAMETERS = ("--parameter", "iiif_access_mode=open", "--parameter", "iiif_oversized_box=reject")
"""The validator requests every feature, and expects 400 for ``!w,h`` larger than the region."""

TAKEN_IN_WITHIN_S = 120.0


@contextmanager
def running(state: Path) -> Iterator[str]:
    """The address of a stack with its data in ``state``, which lets anybody ask for anything. Raises StackError."""
    with isolated_stack.run_stack(state, "--no-watch", "--no-inference", *PARAMETERS) as stack:
        _take_in(stack)
        yield str(stack.facts["cdn_url"])


def _take_in(stack: IsolatedStack) -> None:
    """Upload the picture, and wait until it is served. The first answer takes longest: the validator waits for 5 s."""
    s3 = Cloud(stack.facts["aws_endpoint_url"]).s3
    bucket = stack.facts["outputs"]["UploadsBucketName"]
    s3.put_object(Bucket=bucket, Key=PICTURE.stem, Body=PICTURE.read_bytes(), ContentType="image/png")

    def there() -> bool:
        try:
            s3.head_object(Bucket=stack.facts["media_bucket"], Key=f"masters/{PICTURE.stem}")
        except ClientError:
            return False
        return True

    deadline_s = time.monotonic() + TAKEN_IN_WITHIN_S
    while not there():
        if time.monotonic() > deadline_s:
            raise StackError(f"The picture was not taken in\n{stack.tail()}")
        time.sleep(0.2)
    for rest in ("info.json", "full/max/0/default.jpg"):
        with urllib.request.urlopen(f"{stack.facts['cdn_url']}/iiif/3/{PICTURE.stem}/{rest}", timeout=60) as answer:  # noqa: S310
            answer.read()
