"""A scripted SageMaker runtime: an HTTP server for real boto3 clients."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from darkroom.findings import (
    CUTOUT,
    FACES,
    LIKENESS,
    MODERATION,
    SIMILARITY,
    TAGS,
    TEXT,
    Explanation,
    Face,
    Finding,
    Label,
    Region,
    TextLine,
    explanation_to_document,
    finding_to_document,
)

NAME = "darkroom"
RASTER = b"a PNG, which nothing here decodes"
VECTOR = (0.6, 0.8, *(0.0,) * 510)


@dataclass(frozen=True, slots=True)
class Call:
    """A request: the endpoint, the image, and the headers by lower-case names."""

    endpoint: str
    body: bytes
    headers: dict[str, str]

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(self._attributes["tasks"].split(","))

    @property
    def trace(self) -> str:
        """The id of the trace that it belongs to, "" if none."""
        return self._attributes.get("trace", "")

    @property
    def explains(self) -> bool:
        """Whether an explanation is requested."""
        return self._attributes.get("explain") == "1"

    @property
    def target(self) -> str:
        """The variant that is to answer, "" if any may."""
        return self.headers.get("x-amzn-sagemaker-target-variant", "")

    @property
    def timeout_ms(self) -> int:
        """How long the caller waits."""
        return int(self._attributes["timeout"])

    @property
    def _attributes(self) -> dict[str, str]:
        text = self.headers["x-amzn-sagemaker-custom-attributes"]
        return dict(one.split("=", 1) for one in text.split(";"))


type Reply = tuple[int, bytes] | None
"""Status and body; None hangs up."""

HANG: Reply = (0, b"")


def found(task: str) -> Finding:
    """The findings of the models for any image."""
    by_task = {
        FACES: Finding(FACES, "gpu-faces", "2", faces=(Face(Region(0.25, 0.25, 0.5, 0.5), 0.99),)),
        TEXT: Finding(
            TEXT, "gpu-text", "2", lines=(TextLine(((0.1, 0.1), (0.5, 0.1), (0.5, 0.2), (0.1, 0.2)), "words", 0.9),)
        ),
        MODERATION: Finding(MODERATION, "gpu-moderation", "2", labels=(Label("safe", 0.9), Label("unsafe", 0.1))),
        SIMILARITY: Finding(SIMILARITY, "gpu-similarity", "2", vector=VECTOR),
        TAGS: Finding(TAGS, "gpu-tags", "2", labels=(Label("bridge", 0.9), Label("river", 0.6))),
        LIKENESS: Finding(LIKENESS, "gpu-likeness", "2", vector=(0.8, 0.6, *(0.0,) * 1278)),
        CUTOUT: Finding(CUTOUT, "gpu-cutout", "2", raster=RASTER),
    }
    return by_task[task]


def answer(call: Call) -> Reply:
    """As the container does where all is well."""
    tasks = {task: finding_to_document(found(task), vectors=True) for task in call.tasks}
    return 200, json.dumps({"tasks": tasks}).encode()


def flagging(call: Call) -> Reply:
    """Respond like the healthy container, with every image flagged."""
    tasks = {task: finding_to_document(found(task), vectors=True) for task in call.tasks}
    tasks[MODERATION]["flagged"] = True
    return 200, json.dumps({"tasks": tasks}).encode()


EXPLANATION = Explanation(0.9, 0.8, (0.9, 0.3, *(0.9,) * 34), (1,), 0.3)


def explaining(call: Call, **wrong: object) -> Reply:
    """Flag every image, and explain those for which that is requested. ``wrong`` are fields of the explanation."""
    status, body = flagging(call) or HANG
    document = json.loads(body)
    if call.explains:
        document["tasks"][MODERATION]["explanation"] = explanation_to_document(EXPLANATION) | wrong
    return status, json.dumps(document).encode()


def unreadable(call: Call) -> Reply:
    """As the container does for an image that it cannot decode."""
    tasks = {task: {"model": "gpu", "version": "2", "by": "endpoint", "error": "unreadable"} for task in call.tasks}
    return 200, json.dumps({"tasks": tasks}).encode()


def refusing(status: int, code: str = "") -> Callable[[Call], Reply]:
    """Respond like SageMaker for a container with ``status``, with the problem ``code`` if given."""
    message = json.dumps({"code": code}) if code else "no words"
    wrapped = {"OriginalStatusCode": status, "OriginalMessage": message, "Message": "secret", "LogStreamArn": "arn"}
    return lambda _: (424, json.dumps({"__type": "ModelError", **wrapped}).encode())


def failing(status: int, code: str) -> Callable[[Call], Reply]:
    """As SageMaker does where it is at fault itself."""
    return lambda _: (status, json.dumps({"__type": code, "Message": "secret"}).encode())


def hanging(_: Call) -> Reply:
    """No answer until the client has hung up."""
    return HANG


def dead(_: Call) -> Reply:
    """No answer: the connection ends."""
    return None


@dataclass
class Runtime:
    """The server. ``behave`` makes responses; ``calls`` lists requests.

    ``drawn`` is the default variant, ``weights`` are those of all; ``attributes`` is the custom attribute of responses.
    """

    url: str
    behave: Callable[[Call], Reply] = answer
    drawn: str = "main"
    attributes: str = ""
    weights: dict[str, float] = field(default_factory=lambda: {"main": 1.0})
    calls: list[Call] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": self.url,
            "AWS_ENDPOINT_URL_SAGEMAKER": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }


@contextmanager
def serving() -> Iterator[Runtime]:
    """A runtime on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            if "x-amz-target" in headers:
                self._describe()
                return
            call = Call(self.path.split("/")[2], body, headers)
            runtime.calls.append(call)
            reply = runtime.behave(call)
            self.close_connection = True
            if reply == HANG:
                self.rfile.read(1)
            if reply is None or reply == HANG:
                return
            status, content = reply
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Connection", "close")  # or a client might still send to a connection that is closing
            if status == 200:
                self.send_header("x-Amzn-Invoked-Production-Variant", call.target or runtime.drawn)
                self.send_header("X-Amzn-SageMaker-Custom-Attributes", runtime.attributes)
            else:
                self.send_header("x-amzn-ErrorType", json.loads(content)["__type"])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _describe(self) -> None:
            """Describe the variants; without any, the endpoint does not exist."""
            variants = [{"VariantName": name, "CurrentWeight": weight} for name, weight in runtime.weights.items()]
            document = {"EndpointStatus": "InService", "ProductionVariants": variants}
            fault = {"__type": "ValidationException", "message": "Could not find endpoint"}
            content = json.dumps(document if variants else fault).encode()
            self.send_response(200 if variants else 400)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        runtime = Runtime(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield runtime
        finally:
            server.shutdown()
            thread.join()
