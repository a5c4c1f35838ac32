"""The edge function of dialects, in an engine restricted to CloudFront's features."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.image_keys import LARGE_PREFIX
from darkroom.plan.model import AUTO_CLASSES
from darkroom_dialects.dit import OPTION_MAPPINGS
from darkroom_dialects.iiif.url import encode_identifier
from darkroom_dialects.registry import DIALECTS, encode_path
from darkroom_dialects.serving.request import DialectRequest
from functions.edge.build import (
    MAX_BYTES,
    TEMPLATE,
    dialect_behaviours,
    dialects_code,
    insert_block,
    insert_code,
    readable_dialects_code,
)

from .engine import EdgeEngine
from .language import read_above, violations
from .negotiation import choose_format_class

CODE = dialects_code()
HOSTS = {
    "${ImgproxyDomainName}": "img.example.com",
    "${ThumborDomainName}": "thumbs.example.com",
    "${DitDomainName}": "",
}


def deployed(inference: str) -> str:
    code = CODE.replace("${InferenceMode}", inference)
    for name, host in HOSTS.items():
        code = code.replace(name, host)
    return code


@pytest.fixture(scope="module")
def engine() -> Iterator[EdgeEngine]:
    with EdgeEngine(deployed("off")) as found:
        yield found


def asked(uri: str, query: dict[str, str] | None = None, **headers: str) -> dict[str, Any]:
    sent = {"host": "d111.cloudfront.net"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return {
        "request": {
            "method": "GET",
            "uri": uri,
            "querystring": {name: {"value": value} for name, value in (query or {}).items()},
            "headers": {name: {"value": value} for name, value in sent.items()},
            "cookies": {},
        }
    }


def headers_of(answer: dict[str, Any]) -> dict[str, str]:
    """The ``x-darkroom-*`` headers of the forwarded request."""
    return {name: one["value"] for name, one in answer["headers"].items() if name.startswith("x-darkroom-")}


def test_it_is_in_the_dialect_of_the_engine_and_in_the_template() -> None:
    assert violations(readable_dialects_code()) == []
    assert violations(CODE, has_words=True) == []
    assert read_above(readable_dialects_code()) == []
    assert CODE.isascii()
    assert len(CODE) + 3 * 253 < MAX_BYTES, "with three host names"
    template = TEMPLATE.read_text(encoding="utf-8")
    assert insert_code(template, CODE, "dialects") == template, "run `make edge`"
    assert insert_block(template, dialect_behaviours(), "dialect-behaviours") == template, "run `make edge`"


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_prefix_selects_the_dialect(engine: EdgeEngine, dialect: Any) -> None:
    answer = engine.answer(asked(f"{dialect.prefix}/a/b%2Fc.jpg"))
    assert headers_of(answer)["x-darkroom-language"] == dialect.name
    url = headers_of(answer)["x-darkroom-url"]
    assert url == f"{dialect.prefix}/a/b%2Fc.jpg"
    assert dialect.parser_input(url) == ("" if not dialect.keeps_prefix else dialect.prefix) + "/a/b%2Fc.jpg"
    assert answer["uri"] == encode_path(url) == f"{dialect.prefix}/a/b.-252Fc.jpg"


CACHED = {"/cdn-cgi/imagedelivery": "/cdn-cgi/imagedelivery/a/b.jpg", "/iiif/2": "/iiif/3/a/b.jpg.-v2"}
"""The path in the cache of ``/a/b.jpg`` below each further prefix."""


@pytest.mark.parametrize(
    ("prefix", "name"), [(prefix, dialect.name) for dialect in DIALECTS for prefix in dialect.further_prefixes]
)
def test_an_additional_prefix_selects_the_dialect_too(engine: EdgeEngine, prefix: str, name: str) -> None:
    answer = engine.answer(asked(f"{prefix}/a/b.jpg"))
    assert headers_of(answer)["x-darkroom-language"] == name
    assert headers_of(answer)["x-darkroom-url"] == f"{prefix}/a/b.jpg"
    assert answer["uri"] == CACHED[prefix]


@pytest.mark.parametrize(
    ("host", "uri", "dialect"),
    [
        ("thumbs.example.com", "/unsafe/300x200/a.jpg", "thumbor"),
        ("THUMBS.example.com:8088", "/thumbor/300x200/a.jpg", "thumbor"),
        ("img.example.com", "/insecure/w:300/plain/a.jpg", "imgproxy"),
    ],
)
def test_a_host_selects_the_dialect_and_its_paths_get_the_prefix(
    engine: EdgeEngine, host: str, uri: str, dialect: str
) -> None:
    answer = engine.answer(asked(uri, host=host))
    assert headers_of(answer)["x-darkroom-language"] == dialect
    assert headers_of(answer)["x-darkroom-url"] == f"/{dialect}{uri}"
    assert answer["uri"].startswith(f"/{dialect}/")


def test_a_prefix_alone_is_a_url_of_its_dialect(engine: EdgeEngine) -> None:
    assert headers_of(engine.answer(asked("/thumbor")))["x-darkroom-language"] == "thumbor"


@pytest.mark.parametrize("uri", ["/", "/photo.jpg", "/imgproxyish/a.jpg", "/iiif/1/a/info.json"])
def test_a_path_of_no_dialect_is_no_image(engine: EdgeEngine, uri: str) -> None:
    assert engine.answer(asked(uri, host="other.example.com"))["statusCode"] == 404


def test_a_query_is_kept_where_it_matters(engine: EdgeEngine) -> None:
    fields = engine.answer(asked("/dit/a.jpg", {"resize.width": "300", "resize.kernel": "a", "bust.width": "1"}))
    assert headers_of(fields)["x-darkroom-url"] == "/dit/a.jpg?resize.width=300&resize.kernel=a"
    dit = engine.answer(asked("/dit/a.jpg", {"width": "300", "bust": "1", "signature": "0a"}))
    assert headers_of(dit)["x-darkroom-url"] == "/dit/a.jpg?width=300&signature=0a"
    assert (dit["uri"], dit["querystring"]) == ("/dit/a.jpg.-3Fwidth.-3D300.-26signature.-3D0a", {})
    thumbor = engine.answer(asked("/thumbor/unsafe/a.jpg", {"bust": "1"}))
    assert thumbor["querystring"] == {}
    assert headers_of(thumbor)["x-darkroom-url"] == "/thumbor/unsafe/a.jpg"


@given(rest=st.text("ab/.%2F~-_v,", max_size=30))
def test_version_2_of_iiif_is_cached_below_version_3_and_apart_from_it(engine: EdgeEngine, rest: str) -> None:
    answers = [engine.answer(asked(f"/iiif/{version}/a/{rest}")) for version in (2, 3)]
    old, new = (str(answer["uri"]) for answer in answers)
    assert old == encode_path(headers_of(answers[0])["x-darkroom-url"])
    assert old == f"{new}.-v2"
    assert old.startswith("/iiif/3/a/")
    assert not new.endswith(".-v2")


@pytest.mark.parametrize("path", [*(f"{one.prefix}/a" for one in DIALECTS), f"{LARGE_PREFIX}/a/_/b.large", "/none"])
def test_a_preflight_is_answered_without_an_origin(engine: EdgeEngine, path: str) -> None:
    request = asked(path)
    request["request"]["method"] = "OPTIONS"
    answer = engine.answer(request)
    assert answer == {"statusCode": 204}


def test_every_parameter_that_is_read_gets_through(engine: EdgeEngine) -> None:
    read = {name: "1" for option in OPTION_MAPPINGS if option.group.startswith("query") for name in option.names}
    assert {"width", "greyscale", "expires", "signature", "resize.width", "quality"} < read.keys()
    url = headers_of(engine.answer(asked("/dit/a.jpg", read)))["x-darkroom-url"]
    assert {pair.partition("=")[0] for pair in url.partition("?")[2].split("&")} == read.keys()


def test_a_query_that_may_be_signed_stays_as_it_is_spelled(engine: EdgeEngine) -> None:
    query = "w=9&a=%61&auto=format,compress&ixlib=js-3.8.0&h=1&s=0a"
    answer = engine.answer(asked("/imgix/a.jpg", {"a": "%61"}) | {"rawQueryString": query})
    assert headers_of(answer)["x-darkroom-url"] == f"/imgix/a.jpg?{query}"
    assert answer["querystring"] == {}
    assert headers_of(engine.answer(asked("/imgix/a.jpg")))["x-darkroom-url"] == "/imgix/a.jpg"


@given(
    path=st.text("ab/.%2F~-_()@:,=+é\\", max_size=30) | st.text("/.-2D", max_size=9),
    query=st.sampled_from(["", "1", "a/b", "%2F"]),
)
def test_the_path_for_the_function_is_unreserved_and_unique(engine: EdgeEngine, path: str, query: str) -> None:
    answer = engine.answer(asked(f"/dit/{path}", {"width": query} if query else {}))
    url = headers_of(answer)["x-darkroom-url"]
    assert answer["uri"] == encode_path(url)
    assert re.fullmatch(r"/dit/[A-Za-z0-9/._-]*", answer["uri"])
    assert not re.search(r"//|/\.(?!-)", answer["uri"])
    assert re.sub(r"\.-([0-9A-F]{2})", lambda escape: chr(int(escape[1], 16)), answer["uri"]) == url


@st.composite
def respelled(draw: st.DrawFn, path: str) -> str:
    """``path``, in which any characters but slashes are escaped, in capitals or not."""
    forms = [draw(st.sampled_from((one, f"%{ord(one):02X}", f"%{ord(one):02x}"))) for one in path]
    return "".join(one if one == "/" else form for one, form in zip(path, forms, strict=True))


TILES = ("full/max/0/default.jpg", "512,0,128,480/128,480/0/default.jpg", "pct:0,0,50,50/^!90,90/!22.5/gray.png")


@given(prefix=st.sampled_from(("/iiif/3", "/iiif/2")), tile=st.sampled_from(TILES), data=st.data())
def test_spellings_of_a_iiif_path_are_one_path(engine: EdgeEngine, prefix: str, tile: str, data: st.DataObject) -> None:
    """200 spellings of a tile took 199 invocations: the CDN keeps each of them by itself."""
    spelling = data.draw(respelled(f"a-b~(1).jpg/{tile}"))
    expected = engine.answer(asked(f"{prefix}/a-b~%281%29.jpg/{tile}"))
    found = engine.answer(asked(f"{prefix}/{spelling}"))
    assert (found["uri"], headers_of(found)) == (expected["uri"], headers_of(expected))
    assert headers_of(found)["x-darkroom-url"] == f"{prefix}/a-b~%281%29.jpg/{tile}"


@given(key=st.text(min_size=1, max_size=12).filter(lambda key: key.isprintable()))
def test_a_iiif_identifier_is_spelled_as_in_a_purge(engine: EdgeEngine, key: str) -> None:
    for spelling in (quote(key, safe=""), quote(key, safe="!$&'()*+,;=:@"), encode_identifier(key)):
        found = engine.answer(asked(f"/iiif/3/{spelling}/info.json"))
        assert headers_of(found)["x-darkroom-url"] == f"/iiif/3/{encode_identifier(key)}/info.json"


@given(data=st.data())
def test_spellings_of_a_cloudflare_path_are_one_path(engine: EdgeEngine, data: st.DataObject) -> None:
    """Reserved characters mean something else where they are escaped, such as those of an address."""
    path = "/cdn-cgi/image/width=320,format=auto/https%3A//images.example.com/a%2Fb.jpg"
    options, rest = ["width=320", "format=auto"], "/https%3A//images.example.com/a%2fb.jpg"
    spelled_options = ["=".join(data.draw(respelled(word)) for word in option.split("=")) for option in options]
    found = headers_of(engine.answer(asked(f"/cdn-cgi/image/{','.join(spelled_options)}{rest}")))
    assert found["x-darkroom-url"] == path


def test_a_path_that_may_be_signed_stays_as_it_is_spelled(engine: EdgeEngine) -> None:
    for path in ("/imgproxy/sig/%77:320/plain/a.jpg", "/thumbor/sig/320x0/%61.jpg", "/dit/%61.jpg"):
        assert headers_of(engine.answer(asked(path)))["x-darkroom-url"] == path


def test_a_broken_escape_stays_broken(engine: EdgeEngine) -> None:
    assert headers_of(engine.answer(asked("/iiif/3/%zz%4/info.json")))["x-darkroom-url"] == "/iiif/3/%zz%4/info.json"


@given(
    accept=st.lists(st.sampled_from(["image/avif", "image/webp;q=0.5", "*/*", "image/png", "text/html"])).map(",".join)
)
def test_accept_becomes_its_class_by_the_rules_of_our_own_urls(engine: EdgeEngine, accept: str) -> None:
    found = headers_of(engine.answer(asked("/thumbor/unsafe/a.jpg", accept=accept)))
    assert found["x-darkroom-class"] == choose_format_class(accept)


def test_save_data_is_passed_on_and_read_back(engine: EdgeEngine) -> None:
    answer = engine.answer(asked("/imgproxy/insecure/plain/a.jpg", accept="image/webp", save_data="on"))
    request = DialectRequest.from_headers("GET", headers_of(answer))
    assert (request.format_class, request.saves_data) == (AUTO_CLASSES[1], True)
    assert not DialectRequest.from_headers("GET", headers_of(engine.answer(asked("/thumbor/unsafe/a.jpg")))).saves_data


def test_documents_pass_on_the_type_and_iiif_the_host(engine: EdgeEngine) -> None:
    def kind(accept: str) -> str:
        answer = engine.answer(asked("/iiif/3/a.jpg/info.json", accept=accept, host="localhost:8088"))
        request = DialectRequest.from_headers("GET", headers_of(answer))
        assert request.host == "localhost:8088"
        return request.accept

    assert kind("application/json, */*") == "application/json"
    assert kind("text/html, application/ld+json;q=0.9, application/json") == "application/ld+json"
    assert kind("text/html, */*") == ""
    assert "x-darkroom-host" not in headers_of(engine.answer(asked("/thumbor/unsafe/a.jpg")))


def test_no_viewer_sends_our_headers(engine: EdgeEngine) -> None:
    forged = {f"x_darkroom_{name}": "forged" for name in ("language", "url", "class", "host", "findings")}
    assert "forged" not in headers_of(engine.answer(asked("/thumbor/unsafe/a.jpg", **forged))).values()


def test_the_generation_of_findings_is_read_where_there_are_any() -> None:
    with EdgeEngine(deployed("lambda")) as engine:
        event = asked("/thumbor/unsafe/a.jpg")
        assert headers_of(engine.answer(event))["x-darkroom-findings"] == "1"
        assert headers_of(engine.answer(event, "b2"))["x-darkroom-findings"] == "b2"
        assert engine.reads == ["findings"]
    with EdgeEngine(deployed("off")) as engine:
        assert "x-darkroom-findings" not in headers_of(engine.answer(asked("/thumbor/unsafe/a.jpg"), "b2"))
        assert engine.reads == []


TOKEN = "a" * 21 + "_" + "-" * 21


@pytest.mark.parametrize("extension", ["large", "c2pa"])
def test_large_results_and_manifests_are_requested_by_their_own_names_alone(engine: EdgeEngine, extension: str) -> None:
    answer = engine.answer(asked(f"/_large/a/b.jpg/_/{TOKEN}.{extension}", {"x": "1"}, host="img.example.com"))
    assert (answer["uri"], answer["querystring"]) == (f"/a/b.jpg/_/{TOKEN}.{extension}", {})


@pytest.mark.parametrize(
    "name",
    [
        "w-800.auto-webp",
        "full.jpeg",
        "refusal.json",
        "mezzanine-1280.jpg",
        f"{TOKEN}x.large",
        f"{TOKEN}x.c2pa",
        f"{TOKEN}.c2pa.large",
        f"{TOKEN}.large\n",
        f"{TOKEN}.jpeg",
    ],
)
def test_nothing_else_of_the_store_is_shown(engine: EdgeEngine, name: str) -> None:
    assert engine.answer(asked(f"/_large/a/b.jpg/_/{name}"))["statusCode"] == 404
