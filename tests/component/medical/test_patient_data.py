"""The Basic Application Level Confidentiality Profile, tag by tag: nothing that was planted remains."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from darkroom.aws.telemetry import LightObserver
from medical.header import PIXEL_DATA
from medical.messages import consume
from medical.profile import DUMMIES, KEPT, apply_profile, find_action, select_kept
from medical.store import INCOMING
from medical.uids import digest_name, replace_uid

from .files import make, save
from .planting import find_vr, list_tags, plant
from .world import MASTERS, UID_KEY, UPLOADS, World

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
    from pydicom import config

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
    marks = ("PLANTPRIVATE", "PLANTUNKNOWN", "987654321", "987654322", "987654323", "PLANTCOMMENT", "PLANTFILE")
    return save(dataset), [text for text in (*texts, *marks) if len(text) > 4]


def event(*names: str) -> dict[str, Any]:
    records = [{"s3": {"bucket": {"name": UPLOADS}, "object": {"key": name}}} for name in names]
    return {"Records": [{"messageId": "1", "body": json.dumps({"Records": records})}]}


def test_nothing_that_was_planted_is_stored_served_or_logged(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.empty()
    body, texts = planted_file()
    assert sum(text.encode() in body for text in texts) > 500
    name = f"{INCOMING}PLANTFILE.dcm"
    world.s3.put_object(Bucket=UPLOADS, Key=name, Body=body)
    observer = LightObserver("medical_ingest")
    with observer.message("ingest"):
        assert consume(event(name), world.ingest, observer, lambda: 900.0) == {"batchItemFailures": []}
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
        consume(event(name), world.ingest, observer, lambda: 900.0)
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
    assert replace_uid("1.2.840.10008.5.1.4.1.1.2", UID_KEY) == "1.2.840.10008.5.1.4.1.1.2"
