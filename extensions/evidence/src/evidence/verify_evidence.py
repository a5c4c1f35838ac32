#!/usr/bin/env python3
"""Verify an export of evidence offline: python3 verify_evidence.py EXPORT.zip [--key SHA256]

Needs Python 3.9 or later and nothing else. EXPORT is the zip, or the folder that it was unpacked into. It checks that

1. every file has the SHA-256 in the manifest, and that there are no other files;
2. the manifest is signed by the key in the export (RSASSA-PKCS1-v1_5 with SHA-256, RFC 8017), whose SHA-256 is that of
   --key: get it from the operator by another way, since anyone can make an export with a key of their own;
3. the records of custody are a chain: each has the SHA-256 of the one before;
4. the upload is the one that was received, by its SHA-256 in the records, and the one that the report is about.

Run a copy of this script that does not come from the export. Exit code: 0 verified, 1 not, 2 wrong arguments.
What was checked holds, but is no proof, with two further codes. 10: the key was not compared, so that anyone can have
signed the export. 11, whether the key was compared or not: no record says that the upload was received, so that nothing
shows where it comes from.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

MAX_BYTES = 2 * 1024**3
FIRST = "0" * 64
SIGNING = ("manifest.json", "manifest.sig", "public_key.der")
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""DigestInfo of SHA-256 before the digest (RFC 8017, 9.2, note 1)."""
RSA_OID = bytes.fromhex("2a864886f70d010101")


NOT_VERIFIED, KEY_NOT_COMPARED, NOT_RECEIVED = 1, 10, 11
"""Exit codes."""


class Verified(NamedTuple):
    """What was verified, as lines to print, and the exit code: 0, or that of what is missing."""

    lines: list[str]
    exit_code: int


class NotVerified(Exception):
    """The export is not what it claims. The message says why."""


def read_files(export: Path) -> dict[str, bytes]:
    """Return bytes by name of the zip or folder."""
    if export.is_dir():
        paths = sorted(path for path in export.rglob("*") if not path.is_dir())
        if any(path.is_symlink() for path in paths):
            raise NotVerified("the folder has symbolic links")
        return {path.relative_to(export).as_posix(): path.read_bytes() for path in paths}
    with zipfile.ZipFile(export) as archive:
        infos = archive.infolist()
        if len({info.filename for info in infos}) < len(infos):
            raise NotVerified("a name is in the zip twice")
        if sum(info.file_size for info in infos) > MAX_BYTES:
            raise NotVerified("the files are larger than 2 GB")
        return {info.filename: archive.read(info) for info in infos}


def check_files(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
    """Check that the files are those of the manifest."""
    listed = manifest["files"]
    found = set(files) - set(SIGNING)
    if found != set(listed):
        raise NotVerified("missing or additional files: " + ", ".join(sorted(found ^ set(listed))))
    for name, facts in listed.items():
        if hashlib.sha256(files[name]).hexdigest() != facts["sha256"] or len(files[name]) != facts["size"]:
            raise NotVerified(f"{name} was changed")


def check_signature(files: dict[str, bytes], expected_key: str) -> str:
    """Check the signature of the manifest; return the SHA-256 of the key."""
    key = files["public_key.der"]
    fingerprint = hashlib.sha256(key).hexdigest()
    if expected_key and fingerprint != expected_key.lower().replace(":", ""):
        raise NotVerified(f"the export is signed by another key, {fingerprint}")
    modulus, exponent = parse_rsa_key(key)
    size = (modulus.bit_length() + 7) // 8
    signature = base64.b64decode(files["manifest.sig"], validate=True)
    if size < 256 or len(signature) != size:
        raise NotVerified("the key or the signature is too short")
    digest = SHA256_INFO + hashlib.sha256(files["manifest.json"]).digest()
    padded = b"\x00\x01" + b"\xff" * (size - 3 - len(digest)) + b"\x00" + digest
    value = int.from_bytes(signature, "big")
    if value >= modulus or pow(value, exponent, modulus) != int.from_bytes(padded, "big"):
        raise NotVerified("the manifest was changed, or is not signed by the key")
    return fingerprint


def parse_rsa_key(der: bytes) -> tuple[int, int]:
    """Return modulus and exponent of a SubjectPublicKeyInfo (RFC 5280, RFC 8017)."""
    outer, rest = read_der(der, 0x30)
    algorithm, keys = read_der(outer, 0x30)
    oid, _ = read_der(algorithm, 0x06)
    if rest or oid != RSA_OID:
        raise NotVerified("the key is no RSA key")
    bits, _ = read_der(keys, 0x03)
    numbers, _ = read_der(bits[1:], 0x30)
    modulus, after = read_der(numbers, 0x02)
    exponent, _ = read_der(after, 0x02)
    return int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big")


def read_der(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """Return the content of the first element of data, which has the tag, and what follows it."""
    if len(data) < 2 or data[0] != tag:
        raise NotVerified("the key is malformed")
    size, at = data[1], 2
    if size & 0x80:
        at = 2 + (size & 0x7F)
        size = int.from_bytes(data[2:at], "big")
    if len(data) < at + size:
        raise NotVerified("the key is malformed")
    return data[at : at + size], data[at + size :]


def check_records(files: dict[str, bytes], manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Check the chain of records; return them."""
    names = sorted(name for name in files if name.startswith("records/"))
    records: list[dict[str, Any]] = []
    previous = FIRST
    for number, name in enumerate(names, start=1):
        record = json.loads(files[name])
        if record["number"] != number or name != f"records/{number:08}.json":
            raise NotVerified(f"record {number} is missing")
        if record["previous"] != previous:
            raise NotVerified(f"{name} does not follow the record before it")
        if record["key"] != manifest["key"]:
            raise NotVerified(f"{name} is about another key")
        previous = hashlib.sha256(files[name]).hexdigest()
        records.append(record)
    if manifest["last_record"] != (previous if records else None):
        raise NotVerified("the last record is missing")
    return records


def check_original(files: dict[str, bytes], records: list[dict[str, Any]]) -> str | None:
    """Check that the upload is the one in records and report; return its SHA-256, None if it is not in the export."""
    report = json.loads(files["report.json"])
    if "original" not in files:
        return None
    digest = hashlib.sha256(files["original"]).hexdigest()
    if report["original"]["sha256"] != digest:
        raise NotVerified("the report is about other bytes than the upload")
    received = {
        record["facts"]["version_id"]: record["facts"]["sha256"] for record in records if record["kind"] == "received"
    }
    if received.get(report["original"]["version_id"], digest) != digest:
        raise NotVerified("the upload is not the one that was received")
    return digest


def has_receipt(files: dict[str, bytes], records: list[dict[str, Any]]) -> bool:
    """Whether a record says that the upload of the report was received."""
    version_id = json.loads(files["report.json"])["original"]["version_id"]
    return any(one["kind"] == "received" and one["facts"]["version_id"] == version_id for one in records)


def verify(export: Path, expected_key: str = "") -> Verified:
    """Verify the export. Raises NotVerified."""
    files = read_files(export)
    for name in (*SIGNING, "report.json"):
        if name not in files:
            raise NotVerified(f"{name} is missing")
    fingerprint = check_signature(files, expected_key)
    manifest = json.loads(files["manifest.json"])
    check_files(files, manifest)
    records = check_records(files, manifest)
    digest = check_original(files, records)
    received = has_receipt(files, records)
    lines = [
        f"Verified: {manifest['key']}, exported at {manifest['at']}",
        f"Upload:   {digest or 'not in the export: it had expired'}",
        f"Key:      {fingerprint}" + ("" if expected_key else " (not compared: use --key)"),
        f"Receipt:  {'recorded' if received else 'NO RECORD: nothing shows where the upload comes from'}",
        f"Records:  {len(records)}",
    ]
    lines += [f"  {one['number']:>4}  {one['at']}  {one['kind']:<9} {one['by']}" for one in records]
    return Verified(lines, (0 if expected_key else KEY_NOT_COMPARED) if received else NOT_RECEIVED)


def main(arguments: list[str] | None = None) -> int:
    """Parse arguments, print the result and return the exit code."""
    parser = argparse.ArgumentParser(description="Verify an export of evidence offline.")
    parser.add_argument("export", type=Path, help="the zip, or the folder that it was unpacked into")
    parser.add_argument("--key", default="", help="SHA-256 of the operator's public key")
    chosen = parser.parse_args(arguments)
    try:
        found = verify(chosen.export, chosen.key)
    except NotVerified as reason:
        print(f"NOT VERIFIED: {reason}", file=sys.stderr)  # noqa: T201
        return NOT_VERIFIED
    except (OSError, ValueError, KeyError, TypeError, IndexError, zipfile.BadZipFile) as error:
        print(f"NOT VERIFIED: the export is damaged: {error!r}", file=sys.stderr)  # noqa: T201
        return NOT_VERIFIED
    print("\n".join(found.lines))  # noqa: T201
    return found.exit_code


if __name__ == "__main__":
    sys.exit(main())
