"""The Basic Application Level Confidentiality Profile, tag by tag: nothing that was planted remains."""

from __future__ import annotations

import json
import random
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydicom import config
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from darkroom.aws.telemetry import LightObserver
from medical.decode import OF_CAPTURES
from medical.header import PIXEL_DATA
from medical.messages import consume
from medical.profile import DUMMIES, KEPT, apply_profile, find_action, select_kept
from medical.store import INCOMING
from medical.uids import digest_name, replace_uid

from .files import make, save
from .planting import find_vr, list_tags, plant
from .world import MASTERS, UID_KEY, UPLOADS, World, body_of

TAGS = sorted(list_tags())


def after(dataset: Dataset) -> Dataset:
    apply_profile(dataset, lambda uid: replace_uid(uid, UID_KEY))
    return dataset


def check(tag: int, action: str, dataset: Dataset, text: str) -> str:
    """Return what is wrong with ``tag`` after its action, "" if nothing is."""
    vr, found = find_vr(tag), dataset.get(tag)
    if text and text in str(dataset):
        return "the planted value is there"
    if action.startswith("X"):
        return "" if found is None else "is there"
    if found is None:
        return "is not there"
    if vr == "UI":
        return "" if str(found.value).startswith("2.25.") else "has the UID of the file"
    if vr == "SQ":
        return ""
    if action.startswith("Z"):
        return "" if found.value in (None, "", b"") else "is not empty"
    return "" if str(found.value) == str(DUMMIES[vr]) else "has no dummy"


def test_each_attribute_of_the_table_is_treated_by_its_action() -> None:
    wrong = {}
    for number, (tag, action) in enumerate(TAGS):
        if tag >> 16 in (0, 2, 4):  # of commands, file meta information and directories
            continue
        dataset = Dataset()
        element, text = plant(tag, number)
        dataset.add(element)
        if problem := check(tag, action, after(dataset), text):
            wrong[f"{tag:08X} {action}"] = problem
    assert wrong == {}
    assert len(TAGS) > 640


def test_kept_attributes_are_uids_or_of_no_table() -> None:
    assert {f"{tag:08X}" for tag in KEPT if find_action(tag) not in ("", "U")} == set()


def test_private_attributes_and_repeating_groups_are_removed() -> None:
    assert (
        find_action(0x00091001) == find_action(0x50063000) == find_action(0x60023000) == find_action(0x601E4000) == "X"
    )
    assert find_action(PIXEL_DATA) == find_action(0x60020010) == ""


def test_attributes_in_items_are_treated_as_well() -> None:
    dataset, item = Dataset(), Dataset()
    item.PatientName = "PLANTED"
    item.ReferencedSOPInstanceUID = "1.2.3.4"
    item.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    dataset.add_new(0x00081115, "SQ", Sequence([item]))
    [found] = after(dataset)[0x00081115].value
    assert not found.PatientName
    assert found.ReferencedSOPInstanceUID == replace_uid("1.2.3.4", UID_KEY)
    assert found.ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.2"


@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [
        (0x00080060, "CS", "DOE"),
        (0x00080008, "CS", ["ORIGINAL", "DOE"]),
        (0x00200013, "IS", "12345678901234567890"),
        (0x00280030, "DS", ["0.5", "nan"]),
        (0x00185100, "CS", "DOE"),
        (0x00200060, "CS", "DOE"),
    ],
)
def test_a_kept_attribute_has_no_free_text(tag: int, vr: str, value: Any) -> None:
    dataset = Dataset()
    with disabled_validation(config):
        dataset.add_new(tag, vr, value)
        assert select_kept(dataset) == {}


@contextmanager
def disabled_validation(config: Any) -> Iterator[None]:
    before = config.settings.reading_validation_mode, config.settings.writing_validation_mode
    config.settings.reading_validation_mode = config.settings.writing_validation_mode = config.IGNORE
    yield
    config.settings.reading_validation_mode, config.settings.writing_validation_mode = before


def planted_file() -> tuple[bytes, list[str]]:
    """Return a file that has every attribute of the table, private ones and free text, and what was planted."""
    dataset = make()
    identity = {int(one.tag) for one in dataset}
    texts = []
    for number, (tag, _) in enumerate(TAGS):
        if tag >> 16 in (0, 2, 4) or tag in identity or tag == 0x7FE00010:
            continue
        if tag in (0x60003000, 0x50003000):
            continue
        element, text = plant(tag, number)
        dataset.add(element)
        texts.append(text)
    dataset.add_new(0x00091001, "LO", "PLANTPRIVATE")
    dataset.add_new(0x00189999, "UN", b"PLANTUNKNOWN")
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3.987654321", "1.2.3.987654322"
    dataset.SOPInstanceUID = "1.2.3.987654323"
    dataset.ImageComments = "PLANTCOMMENT"
    for name in OF_CAPTURES:  # such a file is not stored where there is no model
        dataset.pop(name, None)
    marks = ("PLANTPRIVATE", "PLANTUNKNOWN", "987654321", "987654322", "987654323", "PLANTCOMMENT", "PLANTFILE")
    return save(dataset), [text for text in (*texts, *marks) if len(text) > 4]


def only_document(world: World) -> dict[str, Any]:
    [document] = [json.loads(found) for name, found in world.objects(MASTERS).items() if name.endswith(".json")]
    return dict(document)


def event(*names: str) -> dict[str, Any]:
    records = [{"s3": {"bucket": {"name": UPLOADS}, "object": {"key": name}}} for name in names]
    return {"Records": [{"messageId": "1", "receiptHandle": "r1", "body": json.dumps({"Records": records})}]}


def keep(handle: str, seconds: float) -> None:
    raise AssertionError(f"{handle} is delayed by {seconds} s")


def test_nothing_that_was_planted_is_stored_served_or_logged(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.empty()
    body, texts = planted_file()
    assert sum(text.encode() in body for text in texts) > 500
    name = f"{INCOMING}PLANTFILE.dcm"
    world.s3.put_object(Bucket=UPLOADS, Key=name, Body=body)
    observer = LightObserver("medical_ingest")
    with observer.message("ingest"):
        assert consume(event(name), world.ingest, observer, lambda: 900.0, keep) == {"batchItemFailures": []}
    assert world.names(UPLOADS) == [], "the upload is deleted"
    stored = world.objects(MASTERS)
    [document] = [json.loads(found) for key, found in stored.items() if key.endswith("instance.json")]
    assert document["study"] == replace_uid("1.2.3.987654321", UID_KEY)
    base = f"/dicomweb/studies/{document['study']}/series"
    instance = f"{base}/{document['series']}/instances/{document['instance']}"
    for path in (base, f"{base}/{document['series']}/instances", f"{base}/{document['series']}/metadata"):
        assert world.get(path)["statusCode"] == 200
    for path in ("/metadata", "/rendered", "/frames/1", "/frames/1/rendered"):
        assert world.get(instance + path)["statusCode"] == 200
    logged = capsys.readouterr()
    everything = b"".join(key.encode() + found for key, found in stored.items())
    everything += json.dumps([str(one) for one in world.responses]).encode() + (logged.out + logged.err).encode()
    assert digest_name(name, UID_KEY) in logged.out
    assert [text for text in texts if text.encode() in everything] == []


def test_a_file_that_cannot_be_decoded_is_named_by_its_digest(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.empty()
    dataset = make(PatientName="PLANTNAME", StudyDescription="PLANTSTUDY")
    dataset.PixelData = dataset.PixelData[:100]
    name = f"{INCOMING}PLANTFILE.dcm"
    world.s3.put_object(Bucket=UPLOADS, Key=name, Body=save(dataset))
    observer = LightObserver("medical_ingest")
    with observer.message("ingest"):
        consume(event(name), world.ingest, observer, lambda: 900.0, keep)
    digest = digest_name(name, UID_KEY)
    assert world.names(UPLOADS) == [f"quarantine/{digest}.dcm", f"quarantine/{digest}.json"]
    assert json.loads(world.objects(UPLOADS)[f"quarantine/{digest}.json"]) == {
        "code": "damaged",
        "reason": "The pixel data has 100 bytes of 6,144",
    }
    assert "PLANT" not in capsys.readouterr().out
    assert world.objects(MASTERS) == {}


def test_images_of_a_series_stay_together_and_other_keys_part_them() -> None:
    uid = f"1.2.{random.Random(3).randrange(10**20)}"
    assert replace_uid(uid, UID_KEY) == replace_uid(f"{uid}\0", UID_KEY) != replace_uid(uid, "another key of UIDs")


VRS = re.findall("..", "AEASATCSDADSDTFLFDISLOLTOBODOFOLOVOWPNSHSLSQSSSTSVTMUCUIULURUSUTUV")
"""Without UN, which pydicom replaces by that of its dictionary."""

BY_DICTIONARY = sorted({int(one.tag) for one in make()} | {*KEPT} | {tag for tag, _ in TAGS})


def is_own(tag: int, vr: str) -> bool:
    try:
        return vr in dictionary_VR(tag).split(" or ")
    except KeyError:
        return False


def element_of(vr: str, mark: str) -> Any:
    """A value with ``mark`` that a file may have as ``vr``: numbers are the bytes of the text."""
    if vr == "SQ":
        item = Dataset()
        item.add_new(0x00081030, "LO", mark)
        return Sequence([item])
    if vr in ("US", "SS", "UL", "SL", "FL", "FD", "AT", "OV", "SV", "UV"):
        return int.from_bytes(mark[-2:].encode(), "little") if vr not in ("FL", "FD") else float(mark[-2:])
    return mark.encode() if vr.startswith("O") else mark


@pytest.mark.parametrize("vr", VRS)
def test_an_attribute_of_another_vr_does_not_survive(vr: str) -> None:
    """Every attribute that is kept or in the table, with every VR that is not its own, digits in place of words."""
    mark = "90210" if vr in ("AE", "CS", "DS", "IS", "SH") else "1.2.3.90210"
    kept, left = {}, {}
    with disabled_validation(config):
        for tag in BY_DICTIONARY:
            if is_own(tag, vr) or tag >> 16 in (0, 2, 4):
                continue
            dataset = Dataset()
            dataset.add(DataElement(tag, vr, element_of(vr, mark)))
            if found := select_kept(dataset):
                kept[f"{tag:08X}"] = found
            if after(dataset):
                left[f"{tag:08X}"] = str(dataset)
    assert (kept, left) == ({}, {})


@pytest.mark.sample(5)
@pytest.mark.parametrize("vr", ["LO", "SH", "UT", "CS", "PN"])
@pytest.mark.parametrize("name", ["SOPClassUID", "FrameOfReferenceUID", "SOPInstanceUID", "SeriesInstanceUID"])
def test_uids_of_another_vr_are_not_stored(world: World, name: str, vr: str) -> None:
    """Whole files, by another writer: the VR of one element changed in the bytes."""
    world.empty()
    value = "1.2.3.424242424242"
    dataset = make(**{name: value})
    dataset.SOPInstanceUID = dataset.SOPInstanceUID
    body = save(dataset)
    tag = Tag(name)
    head = struct.pack("<HH", tag.group, tag.element) + b"UI" + struct.pack("<H", len(value))
    assert body.count(head) == 1
    padded = struct.pack("<HH", tag.group, tag.element) + vr.encode()
    padded += b"\0\0" + struct.pack("<I", len(value)) if vr == "UT" else struct.pack("<H", len(value))
    outcome = world.upload(body.replace(head, padded))
    identity = name in ("SOPInstanceUID", "SeriesInstanceUID")
    searched = "no-inference" if name == "SOPClassUID" else "stored"
    assert outcome.outcome == ("refused" if identity else searched), outcome
    stored = b"".join(key.encode() + found for key, found in world.objects(MASTERS).items())
    assert b"424242424242" not in stored
    if not identity:
        assert f"{int(tag):08X}" not in only_document(world)["metadata"]


@pytest.mark.parametrize("name", ["BurnedInAnnotation", "Modality"])
def test_a_header_of_another_vr_is_not_believed(world: World, name: str) -> None:
    """Such an image is searched for text, so that it is not served where there is no model."""
    world.empty()
    tag = Tag(name)
    head = struct.pack("<HH", tag.group, tag.element)
    body = save(make())
    assert world.upload(body).outcome == "stored"
    assert world.upload(body.replace(head + b"CS", head + b"LO")).outcome == "no-inference"


@pytest.mark.parametrize("number", range(6))
def test_each_stored_instance_is_reachable_by_its_own_document(world: World, number: int) -> None:
    """UIDs of any root, that of the standard included, which no patient's UID is kept for."""
    world.empty()
    root = ("1.2.840.10008.", "1.2.840.10008.5.1.4.1.1.", "2.25.", "1.3.6.1.4.1.", "1.2.840.100080.", "0.")[number]
    uids = [f"{root}{number + 1}90210{index}" for index in range(4)]
    names = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
    outcome = world.upload(save(make(**dict(zip(names, uids, strict=True)))))
    assert outcome.outcome == "stored", outcome
    document = only_document(world)
    path = f"/dicomweb/studies/{document['study']}/series/{document['series']}/instances/{document['instance']}"
    metadata = json.loads(body_of(world.get(f"{path}/metadata")))[0]
    assert [metadata[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018")] == path.split("/")[3::2]
    for rest in ("/rendered", "/frames/1"):
        assert world.get(path + rest)["statusCode"] == 200
    everything = b"".join(name.encode() + found for name, found in world.objects(MASTERS).items())
    assert [uid for uid in uids if uid.encode() in everything] == []


@pytest.mark.parametrize(
    ("sop_class", "stored"),
    [
        ("1.2.840.10008.5.1.4.1.1.2", True),
        ("1.2.840.10008.5.1.4.1.1.2.90210", False),
        ("1.2.840.10008.1.2.1", False),
        ("1.2.3.90210", False),
    ],
)
def test_a_sop_class_is_one_of_the_standard(world: World, sop_class: str, stored: bool) -> None:
    dataset = make(SOPClassUID=sop_class)
    world.empty()
    world.upload(save(dataset))
    assert ("00080016" in only_document(world)["metadata"]) is stored


def test_uids_of_the_standard_are_kept_where_the_profile_keeps_them() -> None:
    dataset = Dataset()
    dataset.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    dataset.add_new(0x00081110, "SQ", Sequence([]))
    dataset.FrameOfReferenceUID = "1.2.840.10008.1.4.1.1"  # registered, but action U
    found = after(dataset)
    assert found.ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.2"
    assert found.FrameOfReferenceUID.startswith("2.25.")
