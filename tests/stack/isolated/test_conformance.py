"""The official validator of the IIIF Image API, 2.1 and 3.0, at level 2 on a stack without access restrictions."""

from __future__ import annotations

import asyncio
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from darkroom_pipeline.aws.s3 import S3Bucket
from local import isolated_stack, tool_venvs
from local.aws import Cloud
from local.paths import ROOT
from local.progress import Progress
from tests.waiting import HANG_S, wait_until

IMAGE = ROOT / "tests" / "cases" / "iiif" / "67352ccc-d1b0-11e1-89ae-279075081939.png"
"""The validator's image; its identifier is the file name without ``.png``."""

PARAMETERS = ("--parameter", "iiif_access_mode=open", "--parameter", "iiif_oversized_box=reject")
"""The validator requests every feature, and expects 400 for ``!w,h`` larger than the region."""


@pytest.fixture(scope="module")
def cdn_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The CDN of a stack that serves the image, which was uploaded like any other."""
    with isolated_stack.run_stack(
        tmp_path_factory.mktemp("iiif"), "--no-watch", "--no-inference", *PARAMETERS
    ) as stack:
        info, s3 = stack.info, Cloud(stack.info["aws_endpoint_url"]).s3
        bucket = info["outputs"]["UploadsBucketName"]
        s3.put_object(Bucket=bucket, Key=IMAGE.stem, Body=IMAGE.read_bytes(), ContentType="image/png")
        media = S3Bucket(s3, info["media_bucket"])
        wait_until(lambda: media.head(f"masters/{IMAGE.stem}") is not None, "the image is ingested")
        for rest in ("info.json", "full/max/0/default.jpg"):  # the first response may exceed the validator's 5 s
            with urllib.request.urlopen(f"{info['cdn_url']}/iiif/3/{IMAGE.stem}/{rest}", timeout=HANG_S) as answer:
                answer.read()
        yield str(info["cdn_url"])


@pytest.fixture(scope="module")
def validator() -> list[str]:
    """The command of PyPI's ``iiif-validator``, in a virtual environment of its own."""
    asyncio.run(tool_venvs.ensure_one(tool_venvs.CONFORMANCE, Progress()))
    python = Path(tool_venvs.python_path(tool_venvs.CONFORMANCE))
    done = subprocess.run([python, "-c", "import magic"], capture_output=True, text=True, check=False)
    assert not done.returncode, f"it needs libmagic; on Debian: apt-get install libmagic1t64\n{done.stderr}"
    return [str(python), str(python.parent / "iiif-validate.py")]


@pytest.mark.parametrize(("version", "prefix", "tests"), [("2.0", "iiif/2", 30), ("3.0", "iiif/3", 33)])
def test_the_official_validator_passes(
    cdn_url: str, validator: list[str], version: str, prefix: str, tests: int
) -> None:
    """``tests`` are those of level 2 and below in 1.0.5, whose tests of 2.0 are those of 2.1."""
    place = urlsplit(cdn_url)
    server = ["--server", place.netloc, "--scheme", place.scheme, "--prefix", prefix, "--identifier", IMAGE.stem]
    command = [*validator, *server, "--version", version, "--level", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert f"Done ({tests} tests, 0 failures)" in said, said
    assert done.returncode == 0, said
    assert len(re.findall(r"^\[\d+\] test \w+ PASS$", said, re.MULTILINE)) == tests, said
