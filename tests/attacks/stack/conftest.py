"""The stack that is attacked, and an attacker's HTTP client, which sends paths as they are written."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.stack.conftest import Stack, start_stack, stop_stack
from tests.stack.viewer import Answer, Viewer
from tests.tally import Tally
from tests.waiting import HANG_S

PRIVATE = "private/"
"""The prefix of keys whose images are private."""

OPTIONS = ("--no-watch", "--no-inference", "--parameter", f'private_prefixes=["{PRIVATE}"]')


@dataclass
class Attacker:
    """A client of ``cdn_url`` that changes nothing of a target: no dot segment is resolved, nothing is encoded."""

    cdn_url: str
    tally: Tally

    def __post_init__(self) -> None:
        host = urlsplit(self.cdn_url).netloc
        self._connection = http.client.HTTPConnection(host, timeout=HANG_S)

    def get(self, target: str, method: str = "GET", **headers: str) -> Answer:
        """Send one request; ``save_data="on"`` is the header ``save-data``. Follows no redirect."""
        self.tally.add("requests")
        connection = self._connection
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack that all tests of this folder share."""
    running = start_stack(tmp_path_factory.mktemp("stack"), *OPTIONS)
    yield running
    assert stop_stack(running) == 0


@pytest.fixture(scope="package")
def viewer(stack: Stack) -> Viewer:
    """Access to uploads, signed URLs and stored objects."""
    return stack.viewer()


@pytest.fixture
def attacker(stack: Stack, tally: Tally) -> Iterator[Attacker]:
    """The attacker's client; its requests are counted."""
    found = Attacker(stack.cdn_url, tally)
    yield found
    found.close()
