"""Content Credentials (C2PA): what services pass to the plug-in that reads and signs them, and store of it.

The manifest of an upload is kept beside its master, as an object that is named by the key and the SHA-256 of the
upload. A file that Darkroom signs has a manifest of its own, in the file or as an object beside the derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from darkroom.image_keys import manifests_prefix
from darkroom.plan.model import Plan

MANIFEST_TYPE = "application/c2pa"
"""Media type of a manifest store that is not in a file (C2PA specification 2.2, "External manifests")."""

SIGNED = "signed"
"""User metadata of a derivative that Darkroom signed: the bytes that this added to it, then `` remote`` if its manifest
is an object of its own."""

TRUST_ANCHORS = "settings/trust-anchors.pem"
"""The object in the media bucket with certificates of trusted issuers. Without it, no signature is ``trusted``."""


class UploadCredentials(NamedTuple):
    """Content Credentials of an upload: what the index says of them, and their manifest as a parent of derivatives.

    ``manifest`` is empty if it cannot be read.
    """

    document: Mapping[str, object]
    manifest: bytes = b""


class Parent(NamedTuple):
    """The upload that a derivative was made from. ``manifest`` is empty if the upload has none."""

    sha256: str
    content_type: str
    manifest: bytes


@dataclass(frozen=True, slots=True)
class SignedFile:
    """The file to store. ``signed``: the text of :data:`SIGNED`, empty if it has no signature.

    ``manifest``: its manifest, to be stored as the object ``manifest_name``, if it is not in the file.
    """

    body: bytes
    signed: str = ""
    manifest_name: str = ""
    manifest: bytes = b""

    @property
    def metadata(self) -> dict[str, str]:
        """User metadata of the derivative."""
        return {SIGNED: self.signed} if self.signed else {}


class CredentialReader(Protocol):
    """Reads and validates the Content Credentials in ``data``, an upload of the media type."""

    def __call__(self, data: bytes, media_type: str) -> UploadCredentials: ...


class DerivativeSigner(Protocol):
    """Signs ``body``, a derivative of ``plan``, which a model has enlarged if ``is_upscaled``.

    Raises Unavailable if there is no valid key.
    """

    def __call__(
        self, plan: Plan, body: bytes, content_type: str, parent: Parent, *, is_upscaled: bool = False
    ) -> SignedFile: ...


def manifest_name(key: str, sha256: str) -> str:
    """Return the name of the object with the manifest of the upload of ``key`` with this SHA-256."""
    return manifests_prefix(key) + sha256


def read_parent(read: Callable[[str], bytes | None], key: str, sha256: str, content_type: str) -> Parent:
    """Return the upload that a master of ``key`` was made from; ``read`` reads objects of the media bucket.

    Raises Unavailable.
    """
    manifest = read(manifest_name(key, sha256)) if sha256 else None
    return Parent(sha256, content_type, manifest or b"")


def count_added_bytes(metadata: Mapping[str, str]) -> int:
    """Return by how much a signature has made the derivative with this user metadata larger."""
    return int(metadata.get(SIGNED, "0").partition(" ")[0])
