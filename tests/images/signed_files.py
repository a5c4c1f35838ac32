"""Files with Content Credentials, and what the C2PA's own library reads in a file."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from c2pa import Builder, C2paBuilderIntent, C2paDigitalSourceType, C2paSignerInfo, Context, Reader, Signer
from cryptography.hazmat.primitives.asymmetric import ec

from darkroom.content_credentials.reader import OFFLINE
from darkroom.content_credentials.signer import SigningKey
from local.signing_certificate import issue_chain, write_private_key

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
