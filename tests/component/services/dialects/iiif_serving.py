"""The IIIF service behind plain HTTP, with the headers of the edge and the responses of Lambda."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from obstore.store import MemoryStore

from darkroom.aws.s3_fast import FastBucket
from darkroom.errors import DarkroomError
from darkroom.http.response import HttpResponse, to_response
from darkroom.plan.variants import AccessMode
from darkroom.services.serve.answers import Failed
from darkroom.services.serve.transform import Transform
from darkroom_dialects.serving.delivery import Delivery
from darkroom_dialects.serving.iiif import IiifService
from darkroom_dialects.serving.request import DialectRequest
from tests.fixed_keys import FixedKeys

VALIDATED = Path(__file__).parents[3] / "cases" / "iiif" / "67352ccc-d1b0-11e1-89ae-279075081939.png"


def service(bucket: FastBucket | None = None, mode: AccessMode = AccessMode.GUARDED) -> IiifService:
    """The service on ``bucket``, else on one in memory."""
    bucket = bucket or FastBucket(MemoryStore())
    keys = FixedKeys(("key",))
    return IiifService(Transform(source=bucket, media=bucket, keys=keys), Delivery(bucket, keys), mode)


def ask(iiif: IiifService, target: str, method: str = "GET", **fields: str) -> HttpResponse:
    """The response of the function: errors are problems."""
    request = DialectRequest(target=target, method=method, host="cdn.example", **fields)  # type: ignore[arg-type]
    return answered(iiif, request)


def answered(iiif: IiifService, request: DialectRequest) -> HttpResponse:
    try:
        return iiif.respond(request)
    except DarkroomError as error:
        return to_response(Failed(error), method=request.method, viewer_url="")


def body_of(response: HttpResponse) -> bytes:
    body = str(response["body"])
    return b64decode(body) if response.get("isBase64Encoded") else body.encode()


@contextmanager
def served(iiif: IiifService) -> Iterator[str]:
    """The host and port that ``iiif`` is served on."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            request = DialectRequest(
                target=self.path, host=self.headers["Host"], scheme="http", accept=self.headers.get("Accept", "")
            )
            response = answered(iiif, request)
            body = body_of(response)
            self.send_response(int(str(response["statusCode"])))
            for name, value in response["headers"].items():  # type: ignore[attr-defined]
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
