"""Queue images for analysis that were ingested before."""

from __future__ import annotations

from pathlib import Path

import pytest

from darkroom_analysis.inference.analysis import AnalysisOutcome
from darkroom_pipeline.services.analysis_requests import AnalysisRequest, RequestKind
from tests import commands
from tests.images.photographs import jpeg_photo

from .harness import InferEnvironment


@pytest.mark.slow
def test_every_master_is_queued_and_analysed_once(
    env: InferEnvironment, aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    env.ready("seen.jpg", jpeg_photo((90, 60)))
    env.master("trips/old.jpg", jpeg_photo((60, 90)))
    env.media.put("masters/folder/", b"", headers={}, metadata={})
    outputs = {
        "MastersUri": f"s3://{env.names['media']}/masters/",
        "MediaBucketName": env.names["media"],
        "InferQueueUrl": env.names["normal"],
    }
    command = commands.local(aws_environment, tmp_path, capsys, outputs)
    assert command.run("findings", "reanalyse").out == "queued: 2\n"
    keys = sorted(message["detail"]["object"]["key"] for message in env.messages("normal"))
    outcomes = [env.infer.handle(AnalysisRequest(RequestKind.ANALYSE, key)) for key in keys]
    assert dict(zip(keys, outcomes, strict=True)) == {
        "seen.jpg": AnalysisOutcome.DROPPED,
        "trips/old.jpg": AnalysisOutcome.ANALYSED,
    }
    assert command.run("findings", "reanalyse", "--below", "trips/", "--again", "--json").document == {"queued": 1}
    [message] = env.messages("normal")
    assert (message["detail"]["object"]["key"], message["detail"]["again"]) == ("trips/old.jpg", True)


def test_a_stack_without_inference_is_reported(
    env: InferEnvironment, aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = commands.local(aws_environment, tmp_path, capsys, {"MediaBucketName": env.names["media"]})
    done = command.run("findings", "reanalyse")
    assert (done.code, done.out) == (3, "")
    assert "has no output InferQueueUrl" in done.err
