"""Exports: everything about the custody of an image in a zip that a script verifies without Darkroom or a network."""

from __future__ import annotations

import io
import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from darkroom_pipeline.aws.clients import translate_errors

from .custody import CustodyRecord
from .page import format_report

VERIFIER = Path(__file__).with_name("verify_evidence.py")
MANIFEST, SIGNATURE, PUBLIC_KEY = "manifest.json", "manifest.sig", "public_key.der"
ALGORITHM = "RSASSA_PKCS1_V1_5_SHA_256"

_TIME = (1980, 1, 1, 0, 0, 0)
"""Of every file in the zip: the manifest has the time that counts."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature of the manifest, and the public key in DER (RFC 5280)."""

    value: bytes
    public_key: bytes

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the public key, by which a recipient knows it."""
        return sha256(self.public_key).hexdigest()


type Signer = Callable[[bytes], Signature]


@dataclass(frozen=True)
class KmsSigner:
    """Signs by an RSA key in KMS, which never leaves it. ``client`` is that of KMS."""

    client: Any
    key_id: str

    def __call__(self, manifest: bytes) -> Signature:
        """Sign ``manifest``. Raises Unavailable."""
        with translate_errors("sign the manifest"):
            answer = self.client.sign(
                KeyId=self.key_id,
                Message=sha256(manifest).digest(),
                MessageType="DIGEST",
                SigningAlgorithm=ALGORITHM,
            )
            public_key = self.client.get_public_key(KeyId=self.key_id)["PublicKey"]
        return Signature(answer["Signature"], public_key)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is exported: the report, the upload (empty if it is gone), and the records of custody in order."""

    report: Mapping[str, Any]
    original: bytes
    records: Sequence[CustodyRecord]

    @property
    def files(self) -> dict[str, bytes]:
        """Bytes by name."""
        found = {
            "report.json": json.dumps(self.report, indent=1).encode(),
            "report.html": format_report(self.report).encode(),
            VERIFIER.name: VERIFIER.read_bytes(),
        }
        if self.original:
            found["original"] = self.original
        return found | {f"records/{one.document['number']:08}.json": one.body for one in self.records}


def build_export(evidence: Evidence, sign: Signer) -> tuple[bytes, Signature]:
    """Return the zip, and the signature of its manifest."""
    files = evidence.files
    manifest = _build_manifest(evidence, files)
    signature = sign(manifest)
    extra = {MANIFEST: manifest, SIGNATURE: b64encode(signature.value), PUBLIC_KEY: signature.public_key}
    target = io.BytesIO()
    with ZipFile(target, "w") as archive:
        for name, body in (files | extra).items():
            info = ZipInfo(name, _TIME)
            info.compress_type = ZIP_STORED if name == "original" else ZIP_DEFLATED
            archive.writestr(info, body)
    return target.getvalue(), signature


def _build_manifest(evidence: Evidence, files: Mapping[str, bytes]) -> bytes:
    document = {
        "version": 1,
        "key": evidence.report["key"],
        "at": evidence.report["at"],
        "algorithm": ALGORITHM,
        "last_record": evidence.records[-1].sha256 if evidence.records else None,
        "files": {name: {"sha256": sha256(body).hexdigest(), "size": len(body)} for name, body in files.items()},
    }
    return json.dumps(document, indent=1).encode()
