"""Queue images for analysis that were ingested before."""

from __future__ import annotations

from pathlib import Path

import pytest

from darkroom.services.inference.analysis import AnalysisOutcome
from darkroom.services.inference.messages import AnalysisRequest, RequestKind
from tests import commands
from tests.images.pictures import jpeg_photo

from .harness import InferEnvironment


def test_every_master_is_queued_and_analysed_once(
    world: InferEnvironment, aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world.ready("seen.jpg", jpeg_photo((90, 60)))
    world.master("trips/old.jpg", jpeg_photo((60, 90)))
    world.media.put("masters/folder/", b"", headers={}, metadata={})
    outputs = {
        "MastersUri": f"s3://{world.names['media']}/masters/",
        "MediaBucketName": world.names["media"],
        "InferQueueUrl": world.names["normal"],
    }
    command = commands.local(aws_environment, tmp_path, capsys, outputs)
    assert command.run("findings", "reanalyse").out == "queued: 2\n"
    keys = sorted(message["detail"]["object"]["key"] for message in world.messages("normal"))
    outcomes = [world.infer.handle(AnalysisRequest(RequestKind.ANALYSE, key)) for key in keys]
    assert dict(zip(keys, outcomes, strict=True)) == {
        "seen.jpg": AnalysisOutcome.DROPPED,
        "trips/old.jpg": AnalysisOutcome.ANALYSED,
    }
    assert command.run("findings", "reanalyse", "--below", "trips/", "--again", "--json").document == {"queued": 1}
    [message] = world.messages("normal")
    assert (message["detail"]["object"]["key"], message["detail"]["again"]) == ("trips/old.jpg", True)


def test_a_stack_without_inference_is_reported(
    world: InferEnvironment, aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = commands.local(aws_environment, tmp_path, capsys, {"MediaBucketName": world.names["media"]})
    done = command.run("findings", "reanalyse")
    assert (done.code, done.out) == (3, "")
    assert "has no output InferQueueUrl" in done.err
