"""Private images at the edge: each request needs a valid signature, whatever is stored or cached."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.image_keys import quote_key
from darkroom.plan.url_builder import sign_literal, sign_target
from darkroom.plan.variants import NEEDS_EXPIRY, AccessMode
from darkroom_pipeline.plan.edge_settings import KEYS_KEY, PrivateImages, build_edge_entries
from functions.edge.build import edge_code

from .engine import NOW_S, EdgeEngine
from .reference import ViewerRequest, case_presets

CODE = edge_code()
CURRENT, PREVIOUS = "the current signing key", "the previous signing key"
PRIVATE = PrivateImages(("clients/", "2026/née ", "a,b/"), (CURRENT, PREVIOUS))
PHOTO = "/clients/17/photo.jpg"


def entries(private: PrivateImages = PRIVATE, mode: AccessMode = AccessMode.OPEN) -> dict[str, str]:
    return dict(build_edge_entries(mode, "", case_presets(), private=private))


@pytest.fixture(scope="module")
def engine() -> Iterator[EdgeEngine]:
    with EdgeEngine(CODE, entries()) as found:
        yield found


def code_of(engine: EdgeEngine, url: str, **words: Any) -> str:
    """The refusal of ``url``, "" if it is forwarded."""
    found = engine.answer(ViewerRequest(url, **words).event())
    assert found.get("statusCode", 403) == 403
    return str(found["headers"]["x-darkroom-error"]["value"]) if "statusCode" in found else ""


@pytest.mark.parametrize(
    "query", ["", "?w=800", "?w=801", "?f=json", "?f=thumbhash", "?preset=cover", "?w=auto", "?dl=photo"]
)
def test_no_request_for_a_private_image_is_admitted_unsigned(engine: EdgeEngine, query: str) -> None:
    assert code_of(engine, PHOTO + query) == "unsigned"
    forged = f"{PHOTO}{query}{'&' if query else '?'}exp={NOW_S + 600}&s={'A' * 43}"
    assert code_of(engine, forged) == "bad-signature"
    assert code_of(engine, f"/public{query}") == ""


def test_every_link_has_an_expiry(engine: EdgeEngine) -> None:
    found = engine.answer(ViewerRequest(sign_target(PHOTO, CURRENT)).event())
    assert found["statusCode"] == 403
    assert json.loads(found["body"])["detail"] == NEEDS_EXPIRY


@pytest.mark.parametrize("sign", [sign_target, sign_literal])
@pytest.mark.parametrize("key", [CURRENT, PREVIOUS])
@pytest.mark.parametrize(
    "url",
    [
        PHOTO,
        f"{PHOTO}?w=801&f=webp",
        f"{PHOTO}?preset=cover",
        f"{PHOTO}?f=json",
        f"{PHOTO}?h=600&w=800&fit=cover",
        f"{PHOTO}?dl=caf%C3%A9",
        "/2026/n%C3%A9e%20Petit.jpg?w=640",
        "/a%2Cb/c.jpg",
    ],
)
def test_both_keys_sign_canonical_requests_and_urls_as_written(
    engine: EdgeEngine, sign: Any, key: str, url: str
) -> None:
    assert code_of(engine, sign(url, key, NOW_S + 600)) == ""
    assert engine.reads[-1:] == [KEYS_KEY]
    assert code_of(engine, sign(url, "another key of 16 characters", NOW_S + 600)) == "bad-signature"


def test_a_signature_is_for_one_image_one_variant_and_one_expiry(engine: EdgeEngine) -> None:
    signed = sign_target(f"{PHOTO}?w=801", CURRENT, NOW_S + 60)
    assert code_of(engine, signed) == ""
    edits = {
        "w=801": "w=802",
        "photo.jpg": "other.jpg",
        f"exp={NOW_S + 60}": f"exp={NOW_S + 61}",
        "w=801&": "w=801&f=webp&",
    }
    assert {code_of(engine, signed.replace(*edit)) for edit in edits.items()} == {"bad-signature"}


def test_a_link_ends(engine: EdgeEngine) -> None:
    assert code_of(engine, sign_target(PHOTO, CURRENT, NOW_S)) == "expired"
    assert code_of(engine, sign_target(PHOTO, CURRENT, NOW_S + 1)) == ""


def test_hints_choose_the_variant_of_a_signed_request(engine: EdgeEngine) -> None:
    headers = [("sec-ch-dpr", "2"), ("accept", "image/avif,image/webp,*/*")]
    found = engine.answer(ViewerRequest(sign_target(f"{PHOTO}?w=320", CURRENT, NOW_S + 9), headers).event())
    assert found["uri"] == f"{PHOTO}/_/w-640.auto-avif"


def test_without_the_keys_nothing_private_is_served() -> None:
    held = {name: value for name, value in entries().items() if name != KEYS_KEY}
    with EdgeEngine(CODE, held) as engine:
        found = engine.answer(ViewerRequest(sign_target(PHOTO, CURRENT, NOW_S + 9)).event())
        assert (found["statusCode"], found["headers"]["x-darkroom-error"]["value"]) == (500, "internal")
        assert code_of(engine, "/public/photo.jpg") == ""


def test_the_empty_prefix_makes_all_images_private() -> None:
    with EdgeEngine(CODE, entries(PrivateImages(("",), (CURRENT,)))) as engine:
        assert code_of(engine, "/photo.jpg?w=800") == "unsigned"
        assert code_of(engine, sign_target("/photo.jpg?w=800", CURRENT, NOW_S + 9)) == ""


def test_public_images_cost_no_further_read(engine: EdgeEngine) -> None:
    assert code_of(engine, "/photo.jpg?w=800") == ""
    assert engine.reads == ["settings"]


_TEXTS = st.text("ab/.-~é,%_ '!🐈", max_size=5)


@given(st.lists(_TEXTS, min_size=1, max_size=3, unique=True), _TEXTS)
def test_a_key_is_private_by_the_start_of_its_name(engine: EdgeEngine, prefixes: list[str], key: str) -> None:
    written = PrivateImages(tuple(prefixes)).format_prefixes()
    assert " " not in written
    name = re.search(r",(\w+)=\(\w,\w\)=>\w&&\w\[\w\]\(\w\)\.some", CODE)
    assert name
    found = engine.evaluate(f"!!{name[1]}({json.dumps(written)}, {json.dumps(quote_key(key))})")
    assert found == key.startswith(tuple(prefixes))
