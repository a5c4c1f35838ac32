"""The extension in AWS's runtime interface emulator: calls run after the response, and every invocation ends."""

from __future__ import annotations

import shutil
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from socket import create_server
from threading import Thread
from typing import Any

import pytest

from darkroom.services.after_response import VARIABLE, Extension, finish_with, register
from tests.emulated_lambda import RUNTIME_DONE, EmulatedFunction, emulate
from tests.images.photographs import jpeg_photo
from tests.waiting import HANG_S, wait_until

from .put_gate import PutGate, hold_puts

ROOT = Path(__file__).resolve().parents[3]
FUNCTION = ROOT / "functions" / "transform"
PACKAGES = Path(sysconfig.get_path("purelib"))
BUCKET = "after-response"
WEBP = "derivatives/photo.jpg/_/w-320.webp"


def event(path: str = "/photo.jpg/_/w-320.webp", **headers: str) -> dict[str, Any]:
    http = {"method": "GET"}
    return {"rawPath": path, "headers": {"x-amz-cf-id": "edge"} | headers, "requestContext": {"http": http}}


@pytest.fixture(scope="module")
def s3(aws: Callable[[str], Any]) -> Any:
    client = aws("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="masters/photo.jpg", Body=jpeg_photo())
    return client


@pytest.fixture(autouse=True)
def empty_store(s3: Any) -> Iterator[None]:
    yield
    for found in s3.list_objects_v2(Bucket=BUCKET, Prefix="derivatives/").get("Contents", ()):
        s3.delete_object(Bucket=BUCKET, Key=found["Key"])


@pytest.fixture
def gate(s3: Any, ministack_url: str) -> Iterator[PutGate]:
    with hold_puts(ministack_url) as held:
        yield held


@pytest.fixture
def start(
    tmp_path: Path, gate: PutGate, aws_environment: Mapping[str, str]
) -> Iterator[Callable[..., EmulatedFunction]]:
    """Start emulators with the transform function."""
    shutil.copy(FUNCTION / "app.py", tmp_path)
    environment = {
        **aws_environment,
        "AWS_ENDPOINT_URL": gate.url,
        "MEDIA_BUCKET": BUCKET,
        "SIGNING_KEYS_ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:keys",
        "STORE_AFTER_RESPONSE": "on",
        "VIPS_WARNING": "0",
    }
    with ExitStack() as stack:
        yield lambda **more: stack.enter_context(emulate(tmp_path, environment | more, PACKAGES))


def keys(s3: Any) -> list[str]:
    return [found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET, Prefix="derivatives/").get("Contents", ())]


def invoke_beside(function: EmulatedFunction, pool: ThreadPoolExecutor, gate: PutGate, puts: int = 1) -> Any:
    """Start an invocation that misses, and wait until its PUT is held."""
    future = pool.submit(function.invoke, event())
    wait_until(lambda: len(gate.puts) >= puts, function.log)
    return future


@pytest.mark.slow
def test_the_response_is_posted_while_the_put_is_in_progress(
    start: Callable[..., EmulatedFunction], gate: PutGate, s3: Any
) -> None:
    function = start()
    with ThreadPoolExecutor(1) as pool:
        future = invoke_beside(function, pool, gate)
        wait_until(lambda: RUNTIME_DONE in function.log(), function.log)
        assert keys(s3) == []
        gate.opened.set()
        answer = future.result(HANG_S)
    assert answer["statusCode"] == 200
    assert "store;" not in answer["headers"]["server-timing"]
    assert s3.head_object(Bucket=BUCKET, Key=WEBP)["ETag"] == answer["headers"]["etag"]
    again = function.invoke(event())
    assert (again["statusCode"], again["headers"]["etag"]) == (200, answer["headers"]["etag"])
    assert function.invoke(event(**{"if-none-match": answer["headers"]["etag"]}))["statusCode"] == 304
    assert function.invoke(event("/none.jpg/_/w-320.webp"))["statusCode"] == 404
    stores = [line for line in function.lines() if "StoreTime" in line]
    assert [len(line["StoreTime"]) for line in stores] == [1]


@pytest.mark.slow
def test_a_derivative_with_another_kind_of_etag_is_stored_before_the_response(
    start: Callable[..., EmulatedFunction], gate: PutGate, s3: Any
) -> None:
    """As deployed with SSE-KMS."""
    function = start(STORE_AFTER_RESPONSE="off")
    with ThreadPoolExecutor(1) as pool:
        future = invoke_beside(function, pool, gate)
        assert RUNTIME_DONE not in function.log()
        gate.opened.set()
        answer = future.result(HANG_S)
    assert "store;" in answer["headers"]["server-timing"]
    assert keys(s3) == [WEBP]


@pytest.mark.slow
def test_concurrent_misses_store_one_object(start: Callable[..., EmulatedFunction], gate: PutGate, s3: Any) -> None:
    functions = [start() for _ in range(3)]
    with ThreadPoolExecutor(len(functions)) as pool:
        answers = [invoke_beside(one, pool, gate, number) for number, one in enumerate(functions, 1)]
        gate.opened.set()
        etags = {future.result(HANG_S)["headers"]["etag"] for future in answers}
    assert etags == {s3.head_object(Bucket=BUCKET, Key=WEBP)["ETag"]}
    versions = s3.list_object_versions(Bucket=BUCKET, Prefix=WEBP).get("Versions", ())
    assert len(versions) == 1
    assert not any("derivative not stored" in one.log() for one in functions)


@pytest.mark.slow
def test_a_killed_environment_stores_nothing_and_the_next_miss_renders_again(
    start: Callable[..., EmulatedFunction], gate: PutGate, s3: Any
) -> None:
    first = start()
    with ThreadPoolExecutor(1) as pool:
        future = invoke_beside(first, pool, gate)
        wait_until(lambda: RUNTIME_DONE in first.log(), first.log)
        gate.drops = True
        first.kill()
        gate.opened.set()
        assert future.exception(HANG_S) is not None  # the emulator ended before it sent what was posted
    wait_until(lambda: gate.dropped, "the PUT is dropped")
    assert keys(s3) == []
    gate.drops = False
    answer = start().invoke(event())
    assert answer["statusCode"] == 200
    assert "encode;" in answer["headers"]["server-timing"]
    assert keys(s3) == [WEBP]


@pytest.mark.slow
def test_a_failed_store_ends_and_is_logged_with_the_id_of_its_request(
    start: Callable[..., EmulatedFunction], gate: PutGate, s3: Any
) -> None:
    function = start()
    gate.drops = True
    gate.opened.set()
    assert function.invoke(event())["statusCode"] == 200
    [failure] = [line for line in function.lines() if line.get("message") == "derivative not stored"]
    assert (failure["correlation_id"], failure["code"], failure["object"]) == ("edge", "unavailable", WEBP)
    gate.drops = False
    assert "encode;" in function.invoke(event())["headers"]["server-timing"]
    assert keys(s3) == [WEBP]


PLAIN = """
import hashlib, os, time
from darkroom.services.after_response import finish_with, register
from darkroom.services.deadline import CpuLimit, Deadline, restart_if_abandoned

STARTED = time.time()
extension = register()

def write(text):
    with open(os.environ["CALLS"], "a") as file:
        file.write(text + "\\n")

@finish_with(extension)
@restart_if_abandoned
def handler(event, context):
    refused = event.get("registers") and register() is None
    deferred = extension.defer(lambda: write(event["call"]))
    if event.get("abandons"):
        try:
            Deadline(CpuLimit(0.3, 300)).run(lambda: hashlib.pbkdf2_hmac("sha256", b"", b"", 2_000_000_000))
        except Exception:
            pass
    if event.get("exits"):
        os._exit(1)
    if event.get("raises"):
        raise ValueError("by the test")
    return {"deferred": deferred, "started": STARTED, "refused": refused}
"""


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[EmulatedFunction]:
    (tmp_path / "app.py").write_text(PLAIN, encoding="utf-8")
    with emulate(tmp_path, {"CALLS": str(tmp_path / "calls")}) as function:
        yield function


def calls(function: EmulatedFunction) -> list[str]:
    return (function.log_file.parent / "calls").read_text(encoding="utf-8").split()


@pytest.mark.slow
def test_every_invocation_ends_and_has_run_its_calls(plain: EmulatedFunction) -> None:
    """Those of a handler that raises, too, and those of a process that is replaced."""
    first = plain.invoke({"call": "a", "registers": True})
    assert (first["deferred"], first["refused"]) == (True, True)  # registration closes with the init phase
    assert calls(plain) == ["a"]
    assert plain.invoke({"call": "b", "raises": True})["errorType"] == "ValueError"
    assert calls(plain) == ["a", "b"]
    slow = plain.invoke({"call": "c", "abandons": True})
    assert slow["started"] == first["started"]
    assert calls(plain) == ["a", "b", "c"]
    after, later = plain.invoke({"call": "d"}), plain.invoke({"call": "e"})
    assert first["started"] < after["started"] == later["started"]
    assert after["deferred"] is later["deferred"] is True
    assert calls(plain) == ["a", "b", "c", "d", "e"]


@pytest.mark.slow
def test_a_process_that_crashed_is_followed_by_one_that_registers(plain: EmulatedFunction) -> None:
    first, crash = plain.invoke({"call": "a"}), plain.invoke({"call": "b", "exits": True})
    assert "ExitError" in crash["errorType"]
    after = plain.invoke({"call": "c"})
    assert first["started"] < after["started"]
    assert after["deferred"] is True
    assert calls(plain) == ["a", "c"]


@pytest.mark.slow
def test_a_process_is_replaced_more_than_once(plain: EmulatedFunction) -> None:
    starts = [plain.invoke({"call": f"{number}", "abandons": number % 2 == 0})["started"] for number in range(6)]
    assert [one == other for one, other in pairwise(starts)] == [False, True, False, True, False]
    assert calls(plain) == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"nonsense",
        b"HTTP/1.0\r\n\r\n",
        b"HTTP/1.0 404 Not Found\r\n\r\n404 page not found",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
def test_an_api_without_extensions_defers_nothing(response: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    with create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            connection.recv(65_536)
            connection.sendall(response)
            connection.close()

        Thread(target=serve, daemon=True).start()
        found = register({"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.getsockname()[1]}"})
    assert found is None
    assert finish_with(found)(handler := lambda *_: None) is handler
    assert "extension not registered" in capsys.readouterr().out


def test_without_a_runtime_api_nothing_is_deferred(capsys: pytest.CaptureFixture[str]) -> None:
    """As in MiniStack's workers; and as if nothing listened."""
    assert register({}) is None
    assert capsys.readouterr().out == ""
    assert register({"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"}) is None


HELD: list[object] = []
"""Sockets of the next test: its extension waits for an event as long as this process lives."""


def test_a_lost_connection_is_opened_again_and_a_lost_event_defers_nothing() -> None:
    """As after the restore of a snapshot. A call that nothing waits for would run in a later invocation."""

    class Context:
        aws_request_id = "lost"

    server = create_server(("127.0.0.1", 0))
    extension = register(
        {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.getsockname()[1]}", VARIABLE: "of-the-process-before"}
    )
    assert isinstance(extension, Extension)
    connection, _ = server.accept()
    assert b"Lambda-Extension-Identifier: of-the-process-before" in connection.recv(65_536)
    connection.close()
    connection, _ = server.accept()
    ran: list[str] = []
    handler = extension.finish(lambda _event, _context: extension.defer(lambda: ran.append("call")))
    assert handler({}, Context) is False
    connection.recv(65_536)
    connection.sendall(b'HTTP/1.0 200 OK\r\n\r\n{"eventType":"INVOKE","requestId":"next"}')
    connection.close()
    Context.aws_request_id = "next"
    wait_until(lambda: handler({}, Context) or ran, "the event is received")
    HELD.extend([server, server.accept()])  # the extension asks for the next event when it has run the call
    assert ran == ["call"]
