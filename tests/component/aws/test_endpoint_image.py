"""Check the endpoint's image against MiniStack's ECR."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from cli.main import main
from tests.unit.test_endpoint_image import MANIFESTS, pushed

ACCOUNT, REGION = "000000000000", "us-east-1"
ACCEPTED = MANIFESTS["docker buildx with the documented options"]
INDEX = MANIFESTS["docker build with BuildKit's defaults"]

type Push = Callable[[str, dict[str, Any]], tuple[str, str]]


@pytest.fixture
def push(aws: Callable[[str], Any], ministack_url: str, monkeypatch: pytest.MonkeyPatch) -> Push:
    """Pushes a manifest; the image's URI with its tag, and its digest."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", ministack_url)
    ecr, repository = aws("ecr"), f"darkroom-{uuid4().hex[:8]}"
    ecr.create_repository(repositoryName=repository)

    def pushes(media_type: str, content: dict[str, Any]) -> tuple[str, str]:
        put = ecr.put_image(
            repositoryName=repository,
            imageManifest=pushed(media_type, content),
            imageManifestMediaType=media_type,
            imageTag="1",
        )
        return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{repository}:1", str(put["image"]["imageId"]["imageDigest"])

    return pushes


def test_an_accepted_image_is_reported_by_its_digest(push: Push, capsys: pytest.CaptureFixture[str]) -> None:
    uri, digest = push(*ACCEPTED[:2])
    by_digest = f"{uri.removesuffix(':1')}@{digest}"
    for asked in (uri, by_digest):
        assert main(["check", "endpoint-image", asked]) == 0
        assert capsys.readouterr().out == f"{by_digest}\n"


def test_a_rejected_image_is_answered_with_the_command_that_builds_another(
    push: Push, capsys: pytest.CaptureFixture[str]
) -> None:
    uri, _ = push(*INDEX[:2])
    assert main(["check", "endpoint-image", uri]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert INDEX[2] in said.err
    assert "--provenance=false --sbom=false" in said.err
    assert f"name={uri},oci-mediatypes=false,push=true" in said.err


def test_what_is_not_there_is_named(push: Push, capsys: pytest.CaptureFixture[str]) -> None:
    uri, _ = push(*ACCEPTED[:2])
    assert main(["check", "endpoint-image", uri.replace(":1", ":2")]) == 3
    assert "has no image 2" in capsys.readouterr().err
    assert main(["check", "endpoint-image", "darkroom:1"]) == 2
    assert "not an image in ECR" in capsys.readouterr().err
