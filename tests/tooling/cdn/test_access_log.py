"""Access logs of the local CDN: fields, and values of hostile viewers."""

from __future__ import annotations

import gzip
import io

from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from cloudfront_local.access_log import FIELDS, LogRecord, file_name, format_file, format_record
from cloudfront_local.messages import Request, Response
from darkroom_pipeline.operations.popular.access_log import LogReader

NOON_S = 1_795_608_000.0


def visit(path: str = "/a.jpg", query: str | None = None, method: str = "GET", **headers: str) -> LogRecord:
    request = Request(method, path, query, CIMultiDict(headers), "192.0.2.7", "id-1")
    answer = Response(
        200, CIMultiDict({"X-Cache": "RefreshHit from cloudfront", "Content-Type": "image/webp"}), b"12345"
    )
    return LogRecord(request, answer, "d1.cloudfront.net", NOON_S + 61.5, 0.0126)


def test_a_line_has_cloudfronts_fields() -> None:
    line = format_record(visit("/caf%C3%A9.jpg", "w=320&f=webp", referer="https://a.example/", host="p.example"))
    values = dict(zip(FIELDS, line.removesuffix("\n").split("\t"), strict=True))
    assert len(FIELDS) == 33
    assert (values["date"], values["time"], values["time-taken"]) == ("2026-11-25", "12:01:01", "0.013")
    assert (values["cs-uri-stem"], values["cs-uri-query"]) == ("/caf%C3%A9.jpg", "w=320&f=webp")
    assert (values["cs-method"], values["sc-status"], values["x-edge-result-type"]) == ("GET", "200", "RefreshHit")
    assert (values["c-ip"], values["sc-bytes"], values["sc-content-type"]) == ("192.0.2.7", "5", "image/webp")
    assert (values["cs(Referer)"], values["x-host-header"]) == ("https://a.example/", "p.example")
    assert (values["cs(Cookie)"], values["cs(User-Agent)"]) == ("-", "-")


def test_a_file_is_named_by_its_hour() -> None:
    assert file_name("logs/", "E1", NOON_S + 61, "0a1b") == "logs/E1.2026-11-25-12.0a1b.gz"


def test_a_file_is_readable_by_the_popular_function() -> None:
    content = format_file(
        [format_record(visit()), format_record(visit(query="w=320")), format_record(visit(method="HEAD"))]
    )
    reader = LogReader()
    assert list(reader.targets(io.BytesIO(gzip.decompress(content)))) == ["/a.jpg", "/a.jpg?w=320"]
    assert (reader.lines, reader.unread) == (3, 0)


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_viewer_cannot_inject_a_line(agent: str, referer: str) -> None:
    reader = LogReader()
    content = format_file([format_record(visit(**{"user-agent": agent, "referer": referer}))])
    assert list(reader.targets(io.BytesIO(gzip.decompress(content)))) == ["/a.jpg"]
    assert (reader.lines, reader.unread) == (1, 0)
