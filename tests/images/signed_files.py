"""Files with Content Credentials, and what the C2PA's own library reads in a file."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from c2pa import (
    Builder,
    C2paBuilderIntent,
    C2paDigitalSourceType,
    C2paSignerInfo,
    C2paSigningAlg,
    Context,
    Reader,
    Signer,
)
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificates

from darkroom_pipeline.content_credentials.reader import OFFLINE
from darkroom_pipeline.content_credentials.signer import SigningKey
from local.signing_certificate import issue_chain, write_private_key
from tests.foreign import FOREIGN

needs_foreign = pytest.mark.skipif(not FOREIGN.is_dir(), reason="needs the files of other projects")

ISSUER = "Example Camera Works"
POSITION = "39,21.102N"

type Actions = Sequence[Mapping[str, object]]


@cache
def make_identity(organisation: str = ISSUER) -> tuple[SigningKey, str]:
    """Return a key with its certificates, and the certificate of their authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    chain, root = issue_chain(key.public_key(), organisation)
    return SigningKey("es256", chain, write_private_key(key)), root


def sign_upload(body: bytes, media_type: str = "image/jpeg", *, ai: bool = False, further: Actions = ()) -> bytes:
    """Sign ``body`` as a camera does, or as a model (``ai``), with ``further`` actions, a position and a thumbnail."""
    key, _ = make_identity()
    info = C2paSignerInfo(
        alg=b"es256", sign_cert=key.certificates.encode(), private_key=key.private_key.encode(), ta_url=None
    )
    source = C2paDigitalSourceType.TRAINED_ALGORITHMIC_MEDIA if ai else C2paDigitalSourceType.DIGITAL_CAPTURE
    position = {"@context": {"exif": "http://ns.adobe.com/exif/1.0/"}, "exif:GPSLatitude": POSITION}
    assertions = [
        {"label": "stds.exif", "data": position, "kind": "Json"},
        {"label": "c2pa.actions.v2", "data": {"actions": list(further)}},
    ]
    manifest = {
        "claim_generator_info": [{"name": "Example\tCamera", "version": "2.1"}],
        "assertions": assertions if further else assertions[:1],
    }
    signed = io.BytesIO()
    with_thumbnail = OFFLINE | {"builder": {"thumbnail": {"enabled": True}}}
    with Context.from_dict(with_thumbnail) as context, Builder(manifest, context) as builder:
        builder.set_intent(C2paBuilderIntent.CREATE, source)
        with Signer.from_info(info) as signer:
            builder.sign(signer, media_type, io.BytesIO(body), signed)
    return signed.getvalue()


def sign_with_expired_certificate(body: bytes, media_type: str = "image/jpeg") -> tuple[bytes, str]:
    """Sign ``body`` by a certificate that has expired; return the file, and the certificate of its authority.

    The library refuses to. So the certificate is exchanged for an expired one of equal length, in the file and in the
    bytes that are signed.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    long_ago = datetime.now(UTC) - timedelta(days=300)
    while True:  # signatures of certificates have 70 to 72 bytes
        now, past = issue_chain(key.public_key()), issue_chain(key.public_key(), since=long_ago)
        chains = [
            [one.public_bytes(Encoding.DER) for one in load_pem_x509_certificates(made[0].encode())]
            for made in (now, past)
        ]
        if [len(one) for one in chains[0]] == [len(one) for one in chains[1]]:
            break

    def exchange(data: bytes) -> bytes:
        for valid, expired in zip(*chains, strict=True):
            data = data.replace(valid, expired)
        return data

    def sign(data: bytes) -> bytes:
        first, second = decode_dss_signature(key.sign(exchange(data), ec.ECDSA(SHA256())))
        return first.to_bytes(32) + second.to_bytes(32)

    signed, settings = io.BytesIO(), OFFLINE | {"verify": {"verify_after_sign": False}}
    with Context.from_dict(settings) as context, Builder({}, context) as builder:
        builder.set_intent(C2paBuilderIntent.CREATE, C2paDigitalSourceType.DIGITAL_CAPTURE)
        with Signer.from_callback(sign, C2paSigningAlg.ES256, now[0], None) as signer:
            builder.sign(signer, media_type, io.BytesIO(body), signed)
    return exchange(signed.getvalue()), past[1]


def read_foreign(name: str) -> bytes:
    """Return a file of the C2PA's public test files, which are signed by the C2PA's test issuer."""
    return (FOREIGN / f"public-testfiles-image_jpeg_adobe-20220124-{name}.jpg").read_bytes()


def list_authorities(signed: bytes) -> list[bytes]:
    """Return the certificates of authorities of test issuers in a file, as PEM."""
    found, at = {}, 0
    while (at := signed.find(b"\x30\x82", at)) >= 0:
        try:
            one = load_der_x509_certificate(signed[at : at + 4 + int.from_bytes(signed[at + 2 : at + 4])])
        except ValueError:
            at += 1
            continue
        name = one.subject.rfc4514_string()
        if "Root CA" in name and "C2PA Test" in name:
            found[one.serial_number] = one.public_bytes(Encoding.PEM)
        at += 1
    return list(found.values())


def tamper(signed: bytes) -> bytes:
    """Change one byte of the pixels of a JPEG."""
    changed = bytearray(signed)
    changed[-100] ^= 1
    return bytes(changed)


def read_manifest(body: bytes, media_type: str, manifest: bytes | None = None) -> tuple[str, dict[str, Any]]:
    """Return the library's own verdict (``Valid``, ``Invalid``), and the active manifest with its ``store``."""
    with (
        Context.from_dict(OFFLINE) as context,
        Reader(media_type, io.BytesIO(body), manifest, context=context) as reader,
    ):
        store = json.loads(reader.json())
        return str(reader.get_validation_state()), store["manifests"][store["active_manifest"]] | {"store": store}


def list_action_names(manifest: dict[str, Any]) -> list[str]:
    """Return the actions that a manifest states."""
    found = [one["data"]["actions"] for one in manifest["assertions"] if one["label"].startswith("c2pa.actions")]
    return [action["action"] for actions in found for action in actions]
