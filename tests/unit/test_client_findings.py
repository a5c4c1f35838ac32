"""Client-supplied findings: request, text form and signature."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.client_findings import (
    MAX_TEXT_BYTES,
    ClientFindings,
    FaceBox,
    Tag,
    client_findings_to_document,
    decode_findings,
    encode_findings,
    has_valid_signature,
    parse_client_findings,
    sign_findings,
)
from darkroom.errors import BadUpload
from darkroom.services.upload_requests import Grant, parse_upload_request

S3_METADATA_BYTES = 2_048
"""Of all names and values together (S3 user guide, "Working with object metadata")."""

FACE = {"box": [0.41, 0.2, 0.1, 0.15], "score": 0.98}
PART = st.integers(0, 9_999)


@st.composite
def faces(draw: st.DrawFn) -> FaceBox:
    left, top = draw(PART), draw(PART)
    width, height = draw(st.integers(1, 10_000 - left)), draw(st.integers(1, 10_000 - top))
    return FaceBox(left, top, width, height, draw(st.integers(0, 10_000)))


names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=16)
tags = st.builds(Tag, names, st.integers(0, 10_000))
found = st.builds(
    ClientFindings,
    st.none() | st.lists(faces(), max_size=6).map(tuple),
    st.none() | st.lists(tags, max_size=6).map(tuple),
).filter(lambda one: one.faces is not None or one.tags is not None)


@given(found)
def test_formatted_values_are_parsed(findings: ClientFindings) -> None:
    text = encode_findings(findings)
    assert decode_findings(text) == findings
    assert parse_client_findings(json.loads(json.dumps(client_findings_to_document(findings)))) == findings
    assert text.isascii()


@given(st.text() | found.map(encode_findings).flatmap(lambda text: st.sampled_from([text + "=", text + "A", text[1:]])))
def test_one_meaning_has_one_text(text: str) -> None:
    """Any other text is no findings or the canonical text itself."""
    try:
        findings = decode_findings(text)
    except ValueError:
        return
    assert encode_findings(findings) == text


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), lambda part: (
    st.lists(part, max_size=4) | st.dictionaries(st.sampled_from(["faces", "tags", "box", "score", "name", "x"]), part)
)))  # fmt: skip
def test_a_wrong_request_names_the_field(document: object) -> None:
    try:
        findings = parse_client_findings(document)
    except BadUpload as error:
        assert error.field.startswith("findings")
        assert error.message.startswith(error.field)
        return
    assert decode_findings(encode_findings(findings)) == findings


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ([], "findings"),
        ({}, "findings"),
        ({"text": []}, "findings.text"),
        ({"faces": {}}, "findings.faces"),
        ({"faces": [FACE, {"score": 1}]}, "findings.faces[1].box"),
        ({"faces": [{"box": [0, 0, 1]}]}, "findings.faces[0].box"),
        ({"faces": [{"box": [0, 0, 1, 0]}]}, "findings.faces[0].box"),
        ({"faces": [{"box": [0.6, 0, 0.5, 1]}]}, "findings.faces[0].box"),
        ({"faces": [{"box": [120, 80, 40, 40]}]}, "findings.faces[0].box"),
        ({"faces": [{"box": [0, 0, 1, float("nan")]}]}, "findings.faces[0].box"),
        ({"faces": [{"box": [10**400, 0, 1, 1]}]}, "findings.faces[0].box"),
        ({"faces": [{"box": [0, 0, 1, True]}]}, "findings.faces[0].box"),
        ({"faces": [FACE | {"score": 2}]}, "findings.faces[0].score"),
        ({"faces": [FACE | {"who": "Ada"}]}, "findings.faces[0].who"),
        ({"tags": ["beach"]}, "findings.tags[0]"),
        ({"tags": [{"name": ""}]}, "findings.tags[0].name"),
        ({"tags": [{"name": "a\nb"}]}, "findings.tags[0].name"),
        ({"tags": [{"name": "\ud800"}]}, "findings.tags[0].name"),
        ({"tags": [{"name": "x" * 65}]}, "findings.tags[0].name"),
        ({"faces": [FACE] * 100}, "findings"),
    ],
)
def test_refused(document: object, field: str) -> None:
    with pytest.raises(BadUpload) as refused:
        parse_client_findings(document)
    assert refused.value.field == field


def test_a_box_may_stick_out_by_what_rounding_makes() -> None:
    assert parse_client_findings({"faces": [{"box": [0.30000000000000004, 0, 0.7000000000000001, 1]}]}).faces == (
        FaceBox(3000, 0, 7000, 10_000, 10_000),
    )


def test_forty_faces_have_room_and_s3_takes_them() -> None:
    boxes = [{"box": [0.1 + number / 100, 0.2222, 0.0333, 0.0444], "score": 0.9876} for number in range(40)]
    text = encode_findings(parse_client_findings({"faces": boxes}))
    assert len(text) <= MAX_TEXT_BYTES
    checksum, signature = "A" * 43 + "=", sign_findings("a", "b", "c", "d")
    metadata = {"declared-sha256": checksum, "findings": "x" * MAX_TEXT_BYTES, "findings-signature": signature}
    assert sum(len(f"x-amz-meta-{name}") + len(value) for name, value in metadata.items()) <= S3_METADATA_BYTES


def test_a_signature_is_for_one_key_one_image_and_one_text() -> None:
    signature = sign_findings("trips/rome.jpg", "ab" * 32, "e30", "new")
    assert has_valid_signature("trips/rome.jpg", "ab" * 32, "e30", signature, ["old", "new"])
    assert not has_valid_signature("trips/rom.jpg", "ab" * 32, "e30", signature, ["new"])
    assert not has_valid_signature("trips/rome.jpg", "cd" * 32, "e30", signature, ["new"])
    assert not has_valid_signature("trips/rome.jpg", "ab" * 32, "e31", signature, ["new"])
    assert not has_valid_signature("trips/rome.jpg", "ab" * 32, "e30", signature, ["old", ""])
    assert not has_valid_signature("trips/rome.jpg", "ab" * 32, "e30", "é", ["new"])


def test_a_request_carries_them() -> None:
    request = {"key": "a.jpg", "type": "image/jpeg", "size": 1, "sha256": "0" * 64, "findings": {"faces": [FACE]}}
    upload = parse_upload_request(json.dumps(request).encode(), Grant("a.jpg", 0), 10)
    assert json.loads(base64.urlsafe_b64decode(upload.findings + "==")) == {"faces": [[4100, 2000, 1000, 1500, 9800]]}
