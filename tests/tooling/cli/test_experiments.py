"""`darkroom experiments`: results of a stack, and simulations."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from darkroom.settings import parse_settings
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.experiments.runs import RunStore, Tally
from darkroom_pipeline.experiments.statistics import Counts
from tests import commands
from tests.commands import Commands

SETTINGS = "[experiments.hero]\nvariants = { cover = 1, social = 1 }\n"
_numbers = itertools.count(1)


@pytest.fixture
def stack(
    aws: Callable[[str], Any], aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[Commands, S3Bucket]:
    number, s3 = next(_numbers), create_client("s3", aws_environment)
    s3.create_bucket(Bucket=f"experiments-cli-{number}")
    arn = aws("cloudfront").create_key_value_store(Name=f"experiments-cli-{number}")["KeyValueStore"]["ARN"]
    media = S3Bucket(s3, f"experiments-cli-{number}")
    outputs = {"MediaBucketName": media.bucket, "FindingsStoreArn": arn}
    return commands.local(aws_environment, tmp_path, capsys, outputs), media


@pytest.mark.slow
def test_results_are_reported(stack: tuple[Commands, S3Bucket], tmp_path: Path) -> None:
    command, media = stack
    assert command.run("experiments", "report").lines == ["The settings have no experiments."]
    file, page = tmp_path / "settings.toml", tmp_path / "results.html"
    file.write_text(SETTINGS)
    assert command.run("settings", "apply", str(file)).code == 0
    assert command.run("experiments", "report").lines[0] == "hero: not counted yet"
    [hero] = parse_settings({"experiments": {"hero": {"variants": {"cover": 1, "social": 1}}}}).experiments
    counts = {"cover": Counts(2_000, 100), "social": Counts(2_010, 110)}
    RunStore(media).write_tally(hero, Tally(0, 1, counts, requests=9))
    done = command.run("experiments", "report", "--json", "--page", str(page))
    [found] = done.document["experiments"]
    assert (found["state"], found["requests"]) == ("undecided, 0 of 2 variants stopped", 9)
    assert [one["visitors"] for one in found["variants"]] == [2_000, 2_010]
    assert "<h2>hero</h2>" in page.read_text()


def test_equal_variants_are_simulated(capsys: pytest.CaptureFixture[str]) -> None:
    command = Commands((), capsys)
    done = command.run("experiments", "simulate", "0.05,0.05", "--runs", "20", "--visitors", "20000", "--json")
    assert done.document["undecided"] >= 19
    done = command.run("experiments", "simulate", "0.05,0.08", "--runs", "5")
    assert "b (8.00% of its visitors click) won 5 of 5 runs" in done.lines
    assert command.run("experiments", "simulate", "0.05").code != 0
    assert command.run("experiments", "simulate", "0.05,2").code != 0
