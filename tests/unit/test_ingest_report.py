"""The report on uploads: contents and warnings."""

from __future__ import annotations

from dataclasses import replace

from cli.ingest_report.outcomes import Sent, UploadOutcome, complaints
from cli.ingest_report.table import format_table, totals
from darkroom_pipeline.aws.record import READY, REFUSED, MasterRef, Record, Refusal

FACTS = {"format": "heic", "width": 4032, "height": 3024, "frames": 1, "size_bytes": 2_204_000}
MASTER = MasterRef(content_type="image/jpeg", how="encoded", size_bytes=3600)
TAKEN = Record("c/a.heic", READY, "1", facts=FACTS, master=MASTER, updated_at="1970-01-01T00:01:42.500+00:00")
REFUSAL = Refusal("damaged", "The source image is damaged " * 5)


def sent(name: str) -> Sent:
    return Sent(name, f"c/{name}", "v1", 100.0)


READY_ONE = UploadOutcome(sent("a.heic"), TAKEN, presets=6)
COPIED = UploadOutcome(sent("b.heic"), replace(TAKEN, key="c/b.heic", same_as="c/a.heic"), presets=6)
REFUSED_ONE = UploadOutcome(
    sent("c.jpg"), Record("c/c.jpg", REFUSED, "1", refusal=REFUSAL, updated_at=TAKEN.updated_at)
)
LOST_ONE = UploadOutcome(sent("d.jpg"), None)
ALL = [LOST_ONE, REFUSED_ONE, COPIED, READY_ONE]


def test_a_line_for_each_upload() -> None:
    head, *lines = format_table(ALL, {"d.jpg": "nothing was heard of it in time"})
    assert head.split()[0] == "key"
    assert [line.split()[:2] for line in lines] == [
        ["c/a.heic", "ready"],
        ["c/b.heic", "ready"],
        ["c/c.jpg", "damaged"],
        ["c/d.jpg", "lost"],
    ]
    assert "heic 4032×3024, 2.2 MB" in lines[0]
    assert "jpeg encoded, 3.6 kB" in lines[0]
    assert lines[0].split()[-2:] == ["6", "2.5"]
    assert "as c/a.heic" in lines[1]
    assert "The source image is damaged The source image is damaged …" in lines[2]
    assert lines[3].endswith("<- nothing was heard of it in time")


def test_totals() -> None:
    assert totals(ALL) == "4 uploads: 2 ready, 1 lost, 1 refused (1 damaged), 1 copied from another key"
    assert totals([READY_ONE]) == "1 upload: 1 ready"


def test_what_is_lost_or_half_there_is_complained_about() -> None:
    assert complaints([READY_ONE, COPIED], None) == {}
    assert complaints([REFUSED_ONE], None) == {"c.jpg": "refused: damaged"}
    half = replace(READY_ONE, missing=("the master", "2 presets"))
    assert complaints([half, LOST_ONE], None) == {
        "a.heic": "missing: the master, 2 presets",
        "d.jpg": "no outcome in time",
    }


def test_another_outcome_than_expected_is_complained_about() -> None:
    expected = {"a.heic": "ready", "b.heic": "ready", "c.jpg": "damaged"}
    assert complaints([READY_ONE, COPIED, REFUSED_ONE], expected) == {}
    assert complaints([READY_ONE, COPIED, REFUSED_ONE], expected | {"c.jpg": "over-limits"}) == {
        "c.jpg": "expected is over-limits"
    }
    assert complaints([READY_ONE, REFUSED_ONE], {"a.heic": "ready", "z.jpg": "ready"}) == {
        "c.jpg": "expected is no such file",
        "z.jpg": "expected, but not uploaded",
    }
