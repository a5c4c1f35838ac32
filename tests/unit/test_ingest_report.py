"""The report on uploads: contents and warnings."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

from cli.ingest_report.outcomes import Sent, UploadOutcome, complaints
from cli.ingest_report.page import VALID_S, Links, format_page
from cli.ingest_report.table import format_table, totals
from darkroom.plan.canonical import derivative_name
from darkroom.plan.presets import load_default_presets
from darkroom.plan.url_builder import sign_target
from darkroom.settings import DEFAULTS
from darkroom_pipeline.aws.record import HELD, READY, REFUSED, HeldUpload, MasterRef, Record, Refusal
from darkroom_pipeline.aws.s3_objects import ObjectHead

FACTS = {"format": "heic", "width": 4032, "height": 3024, "frames": 1, "size_bytes": 2_204_000}
MASTER = MasterRef(content_type="image/jpeg", how="encoded", size_bytes=3600)
TAKEN = Record("c/a.heic", READY, "1", facts=FACTS, master=MASTER, updated_at="1970-01-01T00:01:42.500+00:00")
REFUSAL = Refusal("damaged", "The source image is damaged " * 5)


def sent(name: str) -> Sent:
    return Sent(name, f"c/{name}", "v1", 100.0)


PRESETS = load_default_presets()


def rendered(key: str) -> tuple[ObjectHead, ...]:
    """Heads of the objects of all presets that are rendered at ingest."""
    names = map(derivative_name, PRESETS.build_ingest_plans(key).values())
    headers = {"Content-Type": "image/webp"}
    return tuple(ObjectHead(f"derivatives/{name}", '"e"', 12_340, "", 0.0, headers, {}, {}) for name in names)


READY_ONE = UploadOutcome(sent("a.heic"), TAKEN, rendered("c/a.heic"))
COPIED = UploadOutcome(sent("b.heic"), replace(TAKEN, key="c/b.heic", same_as="c/a.heic"), rendered("c/b.heic"))
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
    held = UploadOutcome(sent("h.jpg"), Record("c/h.jpg", HELD, "1", updated_at=TAKEN.updated_at))
    assert totals([held, REFUSED_ONE]) == "2 uploads: 1 held, 1 refused (1 damaged)"


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


# ------------------------------------------------------------------------ the page

KEY = "a key of more than 16 characters"
LINKS = Links("https://cdn.example", DEFAULTS, lambda: KEY, 1_800_000_000.0)


class Elements(HTMLParser):
    """The names of elements of a page, and their addresses in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.links: list[str] = []
        self.images: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        values = dict(attrs)
        self.links += [values["href"] or ""] if tag == "a" else []
        self.images += [values["src"] or ""] if tag == "img" else []


def text_of(page: str) -> str:
    """The text between the tags of a page."""
    return unescape(re.sub(r"<style>.*</style>|<[^>]*>", " ", page))


def test_a_page_shows_the_presets_of_published_files_only() -> None:
    partly = replace(COPIED, derivatives=COPIED.derivatives[1:], missing=("1 preset",))
    page = format_page([READY_ONE, REFUSED_ONE, LOST_ONE, partly], {"b.heic": "missing: 1 preset"}, LINKS)
    found = Elements(page)
    presets = PRESETS.at_ingest
    urls = [f"https://cdn.example/c/a.heic?preset={name}" for name in presets]
    assert found.images[: len(presets)] == urls
    assert len(found.images) == 2 * len(presets) - 1
    assert found.links[: len(presets) + 1] == ["https://cdn.example/c/a.heic", *urls]
    assert len(found.links) == 2 * (len(presets) + 1)
    text = text_of(page)
    assert text.count("published") == 2
    assert "refused : damaged. The source image is damaged" in text
    assert "no outcome" in text
    assert text.count("webp, 12.3 kB") == 2 * len(presets) - 1
    assert text.count("not rendered at ingest") == 1
    assert "missing: 1 preset" in text


def test_a_page_shows_why_a_file_is_held() -> None:
    waits = Record("c/h.jpg", HELD, "1", updated_at=TAKEN.updated_at)
    flagged = replace(waits, key="c/i.jpg", held=HeldUpload(flagged=True))
    page = format_page([UploadOutcome(sent("h.jpg"), waits), UploadOutcome(sent("i.jpg"), flagged)], {}, LINKS)
    assert Elements(page).images == []
    assert "held : it waits for moderation" in text_of(page)
    assert "held : moderation decided against it" in text_of(page)


def test_a_page_escapes_keys_and_reasons() -> None:
    name = "'\"><script>\u202egpj.jpg"
    own = Sent(name, name, "v1", 100.0)
    refused = Record(
        f"{name}.svg", REFUSED, "1", refusal=Refusal("damaged", "<svg onload=x>"), updated_at=TAKEN.updated_at
    )
    outcomes = [
        UploadOutcome(own, replace(TAKEN, key=name), rendered(name)),
        UploadOutcome(replace(own, key=f"{name}.svg"), refused),
    ]
    page = format_page(outcomes, {name: "<b>"}, LINKS)
    assert Elements(page).names.isdisjoint({"script", "svg", "b"})
    assert "\u202e" not in page
    assert len(Elements(page).images) == len(PRESETS.at_ingest)
    assert all(re.fullmatch(r"https://cdn\.example/[\w%.-]+\?preset=\w+", one) for one in Elements(page).images)


def test_links_are_signed_for_a_week_where_images_need_it() -> None:
    links = replace(LINKS, settings=replace(DEFAULTS, access_mode="signed"))
    page = format_page([READY_ONE], {}, links)
    expires_s = 1_800_000_000 + VALID_S
    assert Elements(page).images[0] == LINKS.cdn_url + sign_target("/c/a.heic?preset=w320", KEY, expires_s)
    assert all(f"exp={expires_s}&s=" in one for one in Elements(page).links)
    assert "The links are valid until 2027-01-22 08:00 UTC." in text_of(page)
    assert "exp=" not in format_page([READY_ONE], {}, LINKS)
