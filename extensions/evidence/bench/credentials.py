"""Content Credentials of images that were signed, and of what editors make of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cryptography.hazmat.primitives.asymmetric import ec

from darkroom.imaging.formats.jpeg.container import Marker, iter_segments
from darkroom.plan.model import Plan
from darkroom_pipeline.content_credentials.reader import read_credentials
from darkroom_pipeline.content_credentials.signer import ManifestSigner, SigningKey
from darkroom_pipeline.services.manifests import Parent
from evidence import measures
from local.signing_certificate import issue_chain, write_private_key

from .scenes import Scene, compress, decode, paste, place_box

FLAGGED = ("invalid", "unreadable")


def count_credentials(scenes: Sequence[Scene]) -> Iterator[tuple[str, str, bool, int, int]]:
    """Yield measure, group, whether it is honest, images and flags."""
    sign = _open_signer()
    honest, kept, removed = 0, 0, 0
    for number, scene in enumerate(scenes):
        signed = sign(Plan("a"), compress(scene.image, 90), "image/jpeg", Parent("0" * 64, "image/jpeg", b"")).body
        spliced = compress(paste(decode(signed), scenes[(number + 7) % len(scenes)].image, place_box(number)), 92)
        honest += _state(signed) in FLAGGED
        kept += _state(_carry_manifest(signed, spliced)) in FLAGGED
        removed += _state(spliced) in FLAGGED
    yield measures.CREDENTIALS, "signed", True, len(scenes), honest
    yield measures.CREDENTIALS, "signed, then spliced, manifest kept", False, len(scenes), kept
    yield measures.CREDENTIALS, "signed, then spliced, manifest removed", False, len(scenes), removed


def _state(jpeg: bytes) -> str:
    """Return the state that ingest stores; it validates files with a manifest only."""
    if not any(one.marker == Marker.APP11 for one in iter_segments(lambda at, length: jpeg[at : at + length])):
        return "none"
    return str(read_credentials(jpeg, "image/jpeg").document.get("state", "none"))


def _carry_manifest(signed: bytes, spliced: bytes) -> bytes:
    """Return ``spliced`` with the manifest of ``signed``, as an editor writes it that knows no C2PA."""
    segments = iter_segments(lambda at, length: signed[at : at + length])
    manifest = b"".join(signed[one.start : one.end] for one in segments if one.marker == Marker.APP11)
    return spliced[:2] + manifest + spliced[2:]


class _Known:
    """A secret that is known."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key

    def get(self) -> SigningKey:
        return self._key


def _open_signer() -> ManifestSigner:
    key = ec.generate_private_key(ec.SECP256R1())
    chain, _ = issue_chain(key.public_key())
    return ManifestSigner(_Known(SigningKey("es256", chain, write_private_key(key))), _connect_nothing)


def _connect_nothing() -> object:
    raise AssertionError("the key is not in KMS")
