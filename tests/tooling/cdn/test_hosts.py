"""Selection of a distribution by host, and of the path from a request target."""

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
    """The part of a live edge that ``Hosts`` uses."""

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
        ("second.cloudfront.net", "second"),
        ("tiles.localhost:8088", "tiles"),
        ("Tiles.cloudfront.net", "tiles"),
        ("example.com", "first"),
        ("", "first"),
    ],
)
def test_a_host_selects_its_distribution(host: str, name: str) -> None:
    edges = [Deployed("first", "images.example.com"), Deployed("second", "thumbs.example.com", "img.example.com")]
    found = Hosts(edges, {"tiles.localhost": Deployed("tiles")}).of(host)  # type: ignore[arg-type, dict-item]
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
def test_a_url_within_a_path_belongs_to_the_path(target: str, path: str) -> None:
    request: web.Request = make_mocked_request("GET", target)
    assert viewer_request(request).path == path
