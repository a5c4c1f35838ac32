"""Manifests that SageMaker's CreateModel accepts, by the shapes that BuildKit and Docker push."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cli.endpoint_image import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    ImageUri,
    evaluate_manifest,
    parse,
)

REGISTRY = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"
DIGEST = f"sha256:{'0a' * 32}"
AMD64 = {"architecture": "amd64", "os": "linux"}


def entry(kind: str, **more: Any) -> dict[str, Any]:
    return {"mediaType": kind, "digest": DIGEST, "size": 1609} | more


ATTESTATION = entry(
    OCI_MANIFEST,
    annotations={"vnd.docker.reference.digest": DIGEST, "vnd.docker.reference.type": "attestation-manifest"},
    platform={"architecture": "unknown", "os": "unknown"},
)
BUILT = entry(OCI_MANIFEST, platform=AMD64)
MANIFESTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "docker buildx with the documented options": (
        DOCKER_MANIFEST,
        {"config": entry("application/vnd.docker.container.image.v1+json"), "layers": []},
        "",
    ),
    "docker build with BuildKit's defaults": (
        OCI_INDEX,
        {"manifests": [BUILT, ATTESTATION]},
        "it is an OCI index of linux/amd64, with an attestation (provenance or SBOM)",
    ),
    "without provenance alone": (
        OCI_MANIFEST,
        {"config": entry("application/vnd.oci.image.config.v1+json"), "layers": []},
        "it is an OCI manifest, not a Docker manifest (version 2, schema 2)",
    ),
    "two platforms": (
        DOCKER_LIST,
        {
            "manifests": [
                entry(DOCKER_MANIFEST, platform=AMD64),
                entry(DOCKER_MANIFEST, platform=AMD64 | {"architecture": "arm64"}),
            ]
        },
        "it is a Docker manifest list of linux/amd64, linux/arm64",
    ),
    "schema 1": (
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        {"fsLayers": []},
        "its manifest has the type application/vnd.docker.distribution.manifest.v1+prettyjws",
    ),
}


def pushed(media_type: str, content: dict[str, Any]) -> str:
    return json.dumps({"schemaVersion": 2, "mediaType": media_type} | content)


@pytest.mark.parametrize(("media_type", "content", "reason"), MANIFESTS.values(), ids=MANIFESTS)
def test_one_docker_manifest_is_accepted(media_type: str, content: dict[str, Any], reason: str) -> None:
    verdict = evaluate_manifest(media_type, pushed(media_type, content))
    assert (verdict.accepted, verdict.reason) == (not reason, reason)


def test_a_uri_has_a_tag_or_a_digest() -> None:
    assert parse(f"{REGISTRY}/team/darkroom:1") == ImageUri("111122223333", "eu-central-1", "team/darkroom", "1", "")
    assert parse(f"{REGISTRY}/darkroom@{DIGEST}").digest == DIGEST
    for wrong in (f"{REGISTRY}/darkroom", "darkroom:1", f"{REGISTRY}/darkroom@sha256:0a", "public.ecr.aws/x/y:1"):
        with pytest.raises(ValueError, match="not an image in ECR"):
            parse(wrong)
