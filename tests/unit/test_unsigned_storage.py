"""Derivatives of unsigned URLs: every dialect has the same finite set, and IIIF the set that it lists.

The URLs are planned here, not rendered. ``tests/attacks/test_storage.py`` sends 20,000 of them through the edge
functions and the services, and counts the objects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from darkroom.errors import DarkroomError
from darkroom.plan.canonical import canonical_path, parse_path
from darkroom.plan.forced_options import NOTHING_FORCED
from darkroom.plan.geometry.placement import Size
from darkroom.plan.model import Plan
from darkroom.plan.variants import AccessMode, list_unsigned_variants, needs_signature
from darkroom_dialects.common.settings import DialectSettings, ImgproxySettings
from darkroom_dialects.common.sources import Sources
from darkroom_dialects.iiif.image import resolve_image
from darkroom_dialects.iiif.spec import SizeLimits
from darkroom_dialects.iiif.tiles import count_images, is_listed
from darkroom_dialects.iiif.url import ImageRequest
from darkroom_dialects.iiif.url import parse as read_iiif
from darkroom_dialects.parsers import load_parser
from darkroom_dialects.registry import DIALECTS_BY_NAME
from darkroom_dialects.serving.access import authorise
from darkroom_dialects.serving.request import DialectRequest
from darkroom_dialects.serving.service import choose_variant
from tests.fixed_keys import FixedKeys
from tests.unsigned_urls import DIALECTS, Sent, unsigned_urls

from .edge.negotiation import choose_format_class
from .edge.reference import ViewerRequest, case_presets, expected

KEYS = ("photo.jpg", "a/b.png")
SIZE = Size(640, 480)
SETTINGS = DialectSettings(
    sources=Sources((("//images.example.com/photos/", ""),)),
    watermarks={"logo": "watermarks/logo.png"},
    imgproxy=ImgproxySettings(presets={"small": "rs:fit:120:120", "w320": "w:320/f:webp"}),
)
PER_DIALECT = 400


def planned(sent: Sent) -> Plan | None:
    """The variant that ``sent`` has rendered and stored, None if it is refused."""
    try:
        if sent.dialect == "native":
            path = expected(ViewerRequest(sent.target, list(sent.headers.items()))).get("path")
            return parse_path(path) if path else None
        return _listed(sent.target) if sent.dialect == "iiif" else _authorised(sent)
    except DarkroomError:
        return None


def _authorised(sent: Sent) -> Plan:
    language, request = DIALECTS_BY_NAME[sent.dialect], request_of(sent)
    asked = load_parser(language).parse(language.parser_input(sent.target), SETTINGS)
    plan = choose_variant(asked, request, NOTHING_FORCED)
    authorise(
        asked,
        plan,
        AccessMode.GUARDED,
        case_presets,
        NOTHING_FORCED,
        load_parser(language).verify,
        FixedKeys[list[object]]([]),  # no signature is valid
        now_s=1_800_000_000,
        is_private=False,
    )
    return plan


def request_of(sent: Sent) -> DialectRequest:
    saves = sent.headers.get("save-data") == "on"
    return DialectRequest(sent.target, format_class=choose_format_class(sent.headers["accept"]), saves_data=saves)


def _listed(target: str) -> Plan | None:
    asked = read_iiif(target)
    if not isinstance(asked, ImageRequest) or asked.identifier != asked.canonical_identifier:
        return None
    image = resolve_image(asked, SIZE, SizeLimits())
    return image.build_plan() if is_listed(asked, image, SizeLimits()) else None


def stored(dialect: str) -> Iterator[Plan]:
    for sent in unsigned_urls(7, PER_DIALECT * len(DIALECTS), KEYS):
        if sent.dialect == dialect and (plan := planned(sent)) is not None:
            yield plan


@pytest.mark.sample(3)
@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "iiif"])
def test_unsigned_urls_come_to_the_finite_set(dialect: str) -> None:
    found = Counter(stored(dialect))
    assert len(found) > 5, "the URLs are near the finite set"
    for plan in found:
        assert not needs_signature(plan, AccessMode.GUARDED, case_presets)
        assert plan in list_unsigned_variants(plan.key, case_presets()), canonical_path(plan)


def test_unsigned_iiif_urls_come_to_what_info_json_lists() -> None:
    by_key: dict[str, set[str]] = {}
    for plan in stored("iiif"):
        by_key.setdefault(plan.key, set()).add(canonical_path(plan))
    assert max(map(len, by_key.values())) > 3, "the URLs are near what is listed"
    assert max(map(len, by_key.values())) <= count_images(SIZE, SizeLimits())


def test_every_dialect_is_generated() -> None:
    assert set(DIALECTS) == {"native", *DIALECTS_BY_NAME}


def test_the_generator_repeats_itself() -> None:
    assert list(unsigned_urls(3, 60, KEYS)) == list(unsigned_urls(3, 60, KEYS))
    assert {sent.dialect for sent in unsigned_urls(3, 60, KEYS)} == set(DIALECTS)
