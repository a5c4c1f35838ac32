"""Render presets again and report an outcome for every key."""

from __future__ import annotations

import json
from typing import Any

import pytest

from darkroom.image_keys import MASTERS, derivatives_prefix
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.limits import Limits
from darkroom_pipeline.bulk.messages import Operation
from tests.images.mezzanines import large_photo, make_mezzanines
from tests.images.photographs import jpeg_photo

from .jobs import BulkJobs

ORDER = {"operation": "presets", "prefix": "many/"}


def master(runs: BulkJobs, key: str, body: bytes) -> str:
    s3 = runs.env.clients["s3"]
    etag: str = s3.put_object(Bucket=runs.env.names["media"], Key=MASTERS.name(key), Body=body)["ETag"]
    return etag


def prints(runs: BulkJobs, key: str) -> dict[str, str]:
    """The entity tags of masters that prints of ``key`` were made from, by the prints' names."""
    names = runs.env.keys("media", derivatives_prefix(key))
    heads = {name: runs.env.vault("media").head(name) for name in names}
    return {name: head.metadata["source-etag"] for name, head in heads.items() if head is not None}


@pytest.mark.slow
def test_each_key_of_the_prefix_has_an_outcome(runs: BulkJobs) -> None:
    etag = master(runs, "many/a.jpg", jpeg_photo())
    master(runs, "many/ünï 100%#.jpg", jpeg_photo((300, 200)))
    master(runs, "many/broken.jpg", jpeg_photo()[:3000])
    master(runs, "many/notes.txt", b"no image")
    master(runs, "other/b.jpg", jpeg_photo())
    assert runs.all("one", ORDER) == {
        "many/a.jpg": "done",
        "many/ünï 100%#.jpg": "done",
        "many/broken.jpg": "refused damaged",
        "many/notes.txt": "refused type-not-allowed",
    }
    assert set(prints(runs, "many/a.jpg").values()) == {etag.strip('"')}
    assert not runs.env.keys("media", "derivatives/other/")


@pytest.mark.slow
def test_derivatives_equal_those_of_ingest(runs: BulkJobs) -> None:
    runs.env.created("many/a.jpg", jpeg_photo())
    before = {name: runs.env.body("media", name) for name in prints(runs, "many/a.jpg")}
    for name in before:
        runs.env.clients["s3"].delete_object(Bucket=runs.env.names["media"], Key=name)
    assert runs.all("one", ORDER) == {"many/a.jpg": "done"}
    assert {name: runs.env.body("media", name) for name in prints(runs, "many/a.jpg")} == before


def test_a_master_over_the_limits_is_refused_by_name(runs: BulkJobs) -> None:
    master(runs, "many/a.jpg", jpeg_photo())
    runs.env.limits = Limits(max_pixels=1000)
    assert runs.all("one", ORDER) == {"many/a.jpg": "refused over-limits"}
    runs.env.limits = Limits(max_bytes=1000)
    assert runs.all("two", ORDER) == {"many/a.jpg": "refused over-limits"}


@pytest.mark.slow
def test_a_master_that_goes_after_it_was_listed_is_missing(runs: BulkJobs) -> None:
    master(runs, "many/a.jpg", jpeg_photo())
    [(number, keys)] = runs.listed("one", ORDER)
    runs.env.clients["s3"].delete_object(Bucket=runs.env.names["media"], Key="masters/many/a.jpg")
    runs.work("one", ORDER, number, keys)
    assert runs.step("report", "one", ORDER)["outcomes"] == {"missing": 1}


@pytest.mark.slow
def test_derivatives_of_a_master_that_changes_meanwhile_are_deleted(runs: BulkJobs) -> None:
    """The master changes when its last print is put; the next try prints the new one."""
    master(runs, "many/a.jpg", jpeg_photo())
    changes = iter([jpeg_photo((600, 600))])
    s3 = runs.env.clients["s3"]

    def change(params: dict[str, Any], **_: Any) -> None:
        if params["Key"].startswith("derivatives/") and (body := next(changes, None)):
            etags.append(master(runs, "many/a.jpg", body))

    etags: list[str] = []
    s3.meta.events.register("provide-client-params.s3.PutObject", change, unique_id="change")
    try:
        assert runs.all("one", ORDER) == {"many/a.jpg": "done"}
    finally:
        s3.meta.events.unregister("provide-client-params.s3.PutObject", unique_id="change")
    [line] = runs.lines("one")
    assert line["attempts"] == 2
    assert set(prints(runs, "many/a.jpg").values()) == {etags[0].strip('"')}


def test_the_report_has_sums_and_the_location_of_its_lines(runs: BulkJobs) -> None:
    for number in range(3):
        master(runs, f"many/{number}.jpg", jpeg_photo((90, 60)))
    runs.all("one", ORDER, batch=2)
    figures = json.loads(runs.env.body("media", runs.run("one").report_key))
    assert (figures["keys"], figures["outcomes"], figures["unaccounted"]) == (3, {"done": 3}, 0)
    assert figures["lines"] == f"s3://{runs.env.names['media']}/library/one/report.jsonl"
    assert Operation(figures["order"]["operation"]) is Operation.PRESETS


@pytest.mark.slow
def test_existing_masters_get_mezzanines(runs: BulkJobs) -> None:
    etag = master(runs, "many/a.jpg", large_photo()).strip('"')
    master(runs, "many/small.jpg", jpeg_photo())
    master(runs, "many/people/b.jpg", large_photo())
    runs.env.mezzanines, runs.env.always = True, ForcedOptions.parse("many/people/=faces")
    assert set(runs.all("one", ORDER).values()) <= {"done", "unchanged no-presets"}
    found = {name: tag for name, tag in prints(runs, "many/a.jpg").items() if "mezzanine" in name}
    assert found == {f"derivatives/many/a.jpg/_/mezzanine-{side}.jpg": etag for side in (1280, 1920)}
    assert [runs.env.body("media", name) for name in found] == list(make_mezzanines(large_photo()).values())
    others = (*prints(runs, "many/small.jpg"), *prints(runs, "many/people/b.jpg"))
    assert not [name for name in others if "mezzanine" in name]
