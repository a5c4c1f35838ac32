"""Check the stack on AWS, as its users use it, and say when to do so (`./darkroom smoke`)."""

from __future__ import annotations

import secrets
import struct
import time

from cli.smoke.failures import require
from cli.smoke.further import find_api, find_further
from cli.smoke.model import Check
from cli.smoke.plan import Step
from cli.smoke.world import Answer, World

READY_WITHIN_S = 300.0
TOKEN_LASTS_S = 3600
_CT_IMAGE, _EXPLICIT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1"
"""CT Image Storage, and Explicit VR Little Endian (DICOM PS3.6, table A-1)."""


def show_slice(world: World) -> str:
    """Upload a DICOM image, and get it without the patient's name."""
    from darkroom.signing import parse_secret, parse_signing_keys
    from medical.access import Grant, make_token
    from medical.uids import replace_uid

    stack = find_further(world, "medical")
    study, series, instance = (f"2.25.{secrets.randbits(120)}" for _ in range(3))
    secret = world.client("secretsmanager").get_secret_value(SecretId=stack.outputs["UidKeyArn"])["SecretString"]
    uid_key = parse_signing_keys(parse_secret(secret))[0]
    shown = {uid: replace_uid(uid, uid_key) for uid in (study, series, instance)}
    world.objects.append((stack.outputs["MastersBucketName"], f"studies/{shown[study]}/"))
    name = f"incoming/routine/{world.folder.strip('/')}.dcm"
    world.objects.append((stack.outputs["UploadsBucketName"], name))
    body = dicom(study, series, instance, "SMOKE^TEST")
    world.client("s3").put_object(Bucket=stack.outputs["UploadsBucketName"], Key=name, Body=body)
    token = make_token(Grant(int(time.time()) + TOKEN_LASTS_S, shown[study]), world.signing_key)
    base = f"{find_api(world, stack.outputs['DicomWebUrl'])}/dicomweb/studies/{shown[study]}/series/{shown[series]}"

    def ask(path: str, accept: str) -> Answer | None:
        answer = world.request("GET", base + path, {"Authorization": f"Bearer {token}", "Accept": accept})
        require(answer.status in (200, 404), f"{path} is answered with {answer.status}: {answer.body[:200]!r}")
        return answer if answer.status == 200 else None

    metadata = world.wait(lambda: ask("/metadata", "application/dicom+json"), f"{name} is not served", READY_WITHIN_S)
    require(b"SMOKE" not in metadata.body, "the metadata has the patient's name")
    rendered = ask(f"/instances/{shown[instance]}/rendered", "image/png")
    require(rendered, "the image is missing")
    assert rendered is not None
    return f"{rendered.headers.get('content-type')}, {len(rendered.body):,} bytes"


def dicom(study: str, series: str, instance: str, patient: str, side_px: int = 64) -> bytes:
    """Make a CT image of 16 bits, a ramp, with the UIDs and the patient's name that are given."""
    pixels = b"".join(struct.pack("<H", number % 4096) for number in range(side_px * side_px))
    size, bits, one = (struct.pack("<H", number) for number in (side_px, 16, 1))
    elements = (
        (0x0008, 0x0016, b"UI", _CT_IMAGE.encode()),
        (0x0008, 0x0018, b"UI", instance.encode()),
        (0x0008, 0x0060, b"CS", b"CT"),
        (0x0010, 0x0010, b"PN", patient.encode()),
        (0x0020, 0x000D, b"UI", study.encode()),
        (0x0020, 0x000E, b"UI", series.encode()),
        (0x0020, 0x0013, b"IS", b"1"),
        (0x0028, 0x0002, b"US", one),
        (0x0028, 0x0004, b"CS", b"MONOCHROME2"),
        (0x0028, 0x0010, b"US", size),
        (0x0028, 0x0011, b"US", size),
        (0x0028, 0x0100, b"US", bits),
        (0x0028, 0x0101, b"US", bits),
        (0x0028, 0x0102, b"US", struct.pack("<H", 15)),
        (0x0028, 0x0103, b"US", struct.pack("<H", 0)),
        (0x0028, 0x0301, b"CS", b"NO"),
        (0x7FE0, 0x0010, b"OW", pixels),
    )
    meta = b"".join(
        _element(0x0002, number, kind, value)
        for number, kind, value in (
            (0x0001, b"OB", b"\0\1"),
            (0x0002, b"UI", _CT_IMAGE.encode()),
            (0x0003, b"UI", instance.encode()),
            (0x0010, b"UI", _EXPLICIT.encode()),
            (0x0012, b"UI", b"2.25.1"),
        )
    )
    length = _element(0x0002, 0x0000, b"UL", struct.pack("<I", len(meta)))
    return bytes(128) + b"DICM" + length + meta + b"".join(_element(*one) for one in elements)


def _element(group: int, number: int, kind: bytes, value: bytes) -> bytes:
    """Return an element in Explicit VR Little Endian (DICOM PS3.5, section 7.1.2)."""
    if len(value) % 2:
        value += b"\0" if kind in (b"UI", b"OB") else b" "
    head = struct.pack("<HH", group, number) + kind
    if kind in (b"OB", b"OW"):
        return head + struct.pack("<HI", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


CHECK = Check(
    "medical",
    "DICOM files become masters without patient data, and DICOMweb serves them",
    "messages of DeadLettersUrl, and the log of the ingest functions",
    show_slice,
)

STEP = Step(
    "Medical images",
    15,
    "decoders of imagecodecs on arm64, and an HTTP API of its own",
    ("the commands of extensions/medical/docs/guide.md, section Deploy",),
    "CREATE_COMPLETE of {stack}-medical",
    {"medical": "image/png, and its bytes"},
    "messages of DeadLettersUrl, and the log of the ingest functions",
)
