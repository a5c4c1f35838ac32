"""Check whether SageMaker's CreateModel accepts the endpoint's image in ECR."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
MEDIA_TYPES = (DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX)
"""Accepted media types: ECR returns a manifest as it was pushed only if its type is accepted."""

_ATTESTATION = ("vnd.docker.reference.type", "attestation-manifest")
"""The annotation by which BuildKit marks provenance and SBOM in an index (Docker, "Image attestation storage")."""

BUILD = """docker buildx build --platform linux/amd64 --file endpoint/Dockerfile --provenance=false --sbom=false \\
    --output "type=image,name={image},oci-mediatypes=false,push=true" ."""

_URI = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<repository>[a-z0-9][a-z0-9._/-]*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127})|@(?P<digest>sha256:[0-9a-f]{64}))"
)


@dataclass(frozen=True, slots=True)
class ImageUri:
    """An image in ECR, by ``tag`` or ``digest``; the other is empty."""

    account: str
    region: str
    repository: str
    tag: str
    digest: str

    @property
    def name(self) -> str:
        """Repository with its registry."""
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com/{self.repository}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether CreateModel accepts a manifest, and the reason if not."""

    accepted: bool
    reason: str = ""


def parse(uri: str) -> ImageUri:
    """Parse ``uri``. Raises ValueError."""
    if not (found := _URI.fullmatch(uri)):
        raise ValueError(f"{uri} is not an image in ECR with a tag or a digest")
    return ImageUri(**{name: text or "" for name, text in found.groupdict().items()})


def evaluate_manifest(media_type: str, manifest: str) -> Verdict:
    """Decide whether CreateModel accepts an image with ``manifest``, a JSON document. Pure.

    It accepts Docker's version 2, schema 2 of one platform (aws/amazon-sagemaker-feedback, issue 180; AWS re:Post, "OCI
    format unsupported when creating a SageMaker model").
    """
    if media_type == DOCKER_MANIFEST:
        return Verdict(accepted=True)
    if media_type == OCI_MANIFEST:
        return Verdict(accepted=False, reason="it is an OCI manifest, not a Docker manifest (version 2, schema 2)")
    if media_type not in MEDIA_TYPES:
        return Verdict(accepted=False, reason=f"its manifest has the type {media_type}")
    entries = json.loads(manifest).get("manifests", [])
    name, value = _ATTESTATION
    platforms = [
        f"{one.get('platform', {}).get('os')}/{one.get('platform', {}).get('architecture')}"
        for one in entries
        if one.get("annotations", {}).get(name) != value
    ]
    attested = len(platforms) < len(entries)
    what = "an OCI index" if media_type == OCI_INDEX else "a Docker manifest list"
    return Verdict(
        accepted=False,
        reason=f"it is {what} of {', '.join(platforms) or 'no platform'}"
        + (", with an attestation (provenance or SBOM)" if attested else ""),
    )


def find(ecr: Any, image: ImageUri) -> tuple[str, str, str]:
    """Return media type, manifest and digest of ``image``. Raises LookupError if it is not in ECR."""
    image_id = {"imageDigest": image.digest} if image.digest else {"imageTag": image.tag}
    answer = ecr.batch_get_image(
        registryId=image.account,
        repositoryName=image.repository,
        imageIds=[image_id],
        acceptedMediaTypes=[*MEDIA_TYPES],
    )
    if not answer["images"]:
        reasons = [str(failure.get("failureReason", "")) for failure in answer.get("failures", [])]
        raise LookupError(f"{image.name} has no image {image.tag or image.digest}. {' '.join(reasons)}".rstrip())
    [found] = answer["images"]
    manifest = str(found["imageManifest"])
    media_type = found.get("imageManifestMediaType") or json.loads(manifest).get("mediaType", "")
    return str(media_type), manifest, str(found["imageId"]["imageDigest"])


def check(ecr: Any, image: ImageUri) -> tuple[bool, str]:
    """Return whether SageMaker accepts ``image``, and a message. Raises LookupError, and errors of ``ecr``."""
    media_type, manifest, digest = find(ecr, image)
    verdict = evaluate_manifest(media_type, manifest)
    if verdict.accepted:
        return True, f"{image.name}@{digest}"
    command = BUILD.format(image=f"{image.name}:{image.tag or '<tag>'}")
    return False, f"SageMaker rejects this image: {verdict.reason}. Build and push it again:\n\n  {command}"
