"""The scanner: ClamAV itself where it is installed, and daemons that misbehave."""

from __future__ import annotations

import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO

import pytest

from darkroom.errors import Unavailable
from darkroom_pipeline.aws.scanner import CHUNK_BYTES, Clamd
from tests.ports import free_port

from . import clamd


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    if clamd.PROGRAM is None:
        pytest.skip("clamd is not installed")
    port = free_port()
    with clamd.running(tmp_path_factory.mktemp("clamd"), port) as path:
        yield {"tcp": f"127.0.0.1:{port}", "unix": path}


@pytest.fixture(params=["tcp", "unix"])
def scanner(request: pytest.FixtureRequest, addresses: dict[str, str]) -> Clamd:
    return Clamd(addresses[request.param])


def test_a_clean_file_is_clean(scanner: Clamd) -> None:
    assert scanner.scan(b"\xff\xd8\xff\xe0 an image, more or less") == ""
    assert scanner.scan(b"") == ""


def test_the_test_file_is_found(scanner: Clamd) -> None:
    assert scanner.scan(clamd.EICAR) == "Eicar-Test.UNOFFICIAL"


def test_an_image_hidden_in_another_file_is_found(scanner: Clamd) -> None:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as packing:
        packing.writestr("a.txt", clamd.EICAR)
    assert scanner.scan(archive.getvalue()) == "Eicar-Test.UNOFFICIAL"


def test_what_lies_across_two_chunks_is_found(scanner: Clamd) -> None:
    before = b"\0" * (CHUNK_BYTES - 5)
    assert scanner.scan(before) == ""
    assert scanner.scan(before + clamd.MARKER + before) == "Darkroom.Marker.UNOFFICIAL"


def test_a_scanner_is_used_again_and_at_once(scanner: Clamd) -> None:
    found: list[str] = []
    jobs = [threading.Thread(target=lambda: found.append(scanner.scan(clamd.EICAR))) for _ in range(4)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert found == ["Eicar-Test.UNOFFICIAL"] * 4


def test_more_than_clamd_takes_is_a_fault(scanner: Clamd) -> None:
    assert scanner.scan(b"\0" * clamd.MAX_STREAM_BYTES) == ""
    with pytest.raises(Unavailable) as caught:
        scanner.scan(b"\0" * (8 * clamd.MAX_STREAM_BYTES))
    assert "clamd" in caught.value.detail


@contextmanager
def daemon(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """Something that listens like clamd, and does ``behave`` with one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                behave(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def received(connection: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\0\0\0\0"):
        data += connection.recv(65536)
    return data


def answering(text: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        received(connection)
        connection.sendall(text)

    return behave


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\0",
        b"stream: FOUND\0",
        b"stream: \0",
        b"stream: Can't allocate memory ERROR\0",
        b"INSTREAM size limit exceeded. ERROR\0",
        b"UNKNOWN COMMAND\0",
        b"stream: OK",
        b"stream: OKAY\0",
        b"\xff\xfe\0",
        b"x" * 100_000,
    ],
)
def test_only_a_whole_answer_counts(text: bytes) -> None:
    with daemon(answering(text)) as address, pytest.raises(Unavailable) as caught:
        Clamd(address).scan(b"data")
    assert address in caught.value.detail
    assert address not in caught.value.message


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b"stream: OK\0", ""),
        (b"stream: Win.Test.EICAR_HDB-1 FOUND\0", "Win.Test.EICAR_HDB-1"),
        (b"stream: a b FOUND\0", "a b"),
    ],
)
def test_answers_are_read(text: bytes, name: str) -> None:
    with daemon(answering(text)) as address:
        assert Clamd(address).scan(b"data") == name


def test_the_stream_follows_the_protocol() -> None:
    seen: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        seen.append(received(connection))
        connection.sendall(b"stream: OK\0")

    with daemon(behave) as address:
        Clamd(address).scan(b"abc")
    assert seen == [b"zINSTREAM\0" + b"\0\0\0\x03abc" + b"\0\0\0\0"]


def test_a_silent_daemon_times_out() -> None:
    ended = threading.Event()

    def behave(_: socket.socket) -> None:
        ended.wait()

    with daemon(behave) as address, pytest.raises(Unavailable) as caught:
        try:
            Clamd(address, timeout_s=0.1).scan(b"data")
        finally:
            ended.set()
    assert "imeout" in caught.value.detail


def test_a_daemon_that_answers_by_drops_is_waited_for_only_so_long() -> None:
    ended = threading.Event()

    def behave(connection: socket.socket) -> None:
        while not ended.wait(0.02):
            connection.sendall(b"x")

    with daemon(behave) as address, pytest.raises(Unavailable) as caught:
        try:
            Clamd(address, timeout_s=0.2).scan(b"data")
        finally:
            ended.set()
    assert "imeout" in caught.value.detail


@pytest.mark.parametrize("address", ["127.0.0.1:9", "/nowhere/clamd.sock", "no port", "[::1]:9"])
def test_where_no_daemon_is_is_a_fault(address: str) -> None:
    with pytest.raises(Unavailable):
        Clamd(address).scan(b"data")
