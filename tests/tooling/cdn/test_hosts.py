"""Which distribution answers for a host, and what the CDN takes for a path."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from cloudfront_local.edge import Edge
from cloudfront_local.hosts import Hosts
from cloudfront_local.model import Distribution
from cloudfront_local.server import viewer_request


class Deployed:
    """As much of a live edge as its host asks for."""

    def __init__(self, name: str, *aliases: str) -> None:
        distribution = Distribution(name, f"{name}.cloudfront.net", (), aliases=frozenset(aliases))
        self.edge = Edge(distribution, {}, Any, lambda: 0.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("thumbs.example.com", "second"),
        ("THUMBS.example.com:8088", "second"),
        ("img.example.com", "second"),
        ("127.0.0.1:8088", "first"),
        ("first.cloudfront.net", "first"),
        ("example.com", "first"),
        ("", "first"),
    ],
)
def test_a_host_is_answered_by_the_distribution_that_has_it(host: str, name: str) -> None:
    edges = [Deployed("first", "pictures.example.com"), Deployed("second", "thumbs.example.com", "img.example.com")]
    found = Hosts(edges).of(host)  # type: ignore[arg-type]
    assert found is not None
    assert found.distribution.id == name


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/thumbor/x/https://images.example.com/a.jpg", "/thumbor/x/https://images.example.com/a.jpg"),
        ("http://127.0.0.1:8088/a.jpg", "/a.jpg"),
        ("http://127.0.0.1:8088/x/https://images.example.com/a.jpg", "/x/https://images.example.com/a.jpg"),
        ("/a.jpg?u=https://images.example.com/", "/a.jpg"),
    ],
)
def test_an_address_within_a_path_is_a_part_of_it(target: str, path: str) -> None:
    request: web.Request = make_mocked_request("GET", target)
    assert viewer_request(request).path == path
