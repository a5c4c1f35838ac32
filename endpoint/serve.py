"""Serve the models by SageMaker's container contract: ``GET /ping``, ``POST /invocations``, port 8080.

Environment: ``MODEL_DIR`` (the models, optionally with a ``models.toml``), ``HOST``, ``PORT``, ``BATCH_SIZE`` (1
disables batches) and ``BATCH_WAIT_MS``.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from fastapi import Request  # noqa: E402
from litserve import LitServer  # noqa: E402
from starlette.exceptions import HTTPException  # noqa: E402
from starlette.responses import JSONResponse  # noqa: E402

from darkroom.errors import DarkroomError, ModelUnavailable  # noqa: E402
from darkroom_analysis.models.catalogue import ModelCatalogue, load_catalogue  # noqa: E402
from darkroom_analysis.models.onnx_model import has_gpu  # noqa: E402
from endpoint import log  # noqa: E402
from endpoint.api import ImageApi  # noqa: E402
from endpoint.request import parse_origin, problem_document  # noqa: E402

TABLE = "models.toml"
MOUNTED = Path("/opt/ml/model")
"""Where SageMaker unpacks a model archive."""

BUILT_IN = Path("/opt/darkroom/models")
"""Where the image has its models; SageMaker may mount over its own folder."""

QUEUE_TIMEOUT_S = 55
"""Maximum wait of a request; SageMaker's timeout is 60 s."""

SHUTDOWN_S = 5
"""Time for requests in progress when the server stops."""

BATCH_WAIT_MS = 10
"""Less than decoding one image takes, and enough to batch simultaneous requests."""

MAX_BODY_BYTES = 25 * 1024 * 1024
"""SageMaker's limit for a request."""


def model_dir() -> Path:
    """Return ``MODEL_DIR``, else SageMaker's archive if it has a table of models, else the folder of the image."""
    if "MODEL_DIR" in os.environ:
        return Path(os.environ["MODEL_DIR"])
    return MOUNTED if (MOUNTED / TABLE).is_file() else BUILT_IN


def find_catalogue(folder: Path) -> ModelCatalogue:
    """Return the table in ``folder``, else the one beside this file."""
    own = folder / TABLE
    return load_catalogue(own if own.is_file() else HERE / TABLE)


def make_server() -> LitServer:
    """Return the server, not started, with a process for each GPU, or one on the CPU."""
    folder = model_dir()
    catalogue = find_catalogue(folder)
    largest = max(model.batch_size for model in catalogue.models.values())
    batch_size = int(os.environ.get("BATCH_SIZE", largest))
    wait_s = float(os.environ.get("BATCH_WAIT_MS", BATCH_WAIT_MS)) / 1000
    made = LitServer(
        ImageApi(catalogue, folder, batch_size, wait_s),
        accelerator="cuda" if has_gpu() else "cpu",
        healthcheck_path="/ping",
        timeout=QUEUE_TIMEOUT_S,
        max_payload_size=MAX_BODY_BYTES,
        disable_openapi_url=True,
    )
    made.uvicorn_graceful_timeout = SHUTDOWN_S
    made.app.state.tasks = catalogue.tasks
    made.app.add_exception_handler(DarkroomError, _refusal)
    made.app.add_exception_handler(HTTPException, _fault)
    return made


async def _refusal(request: Request, error: DarkroomError) -> JSONResponse:
    return _refused(request, problem_document(error))


async def _fault(request: Request, error: HTTPException) -> JSONResponse:
    """Describe errors of LitServe: an unknown path, a large body, a timeout, a failed worker."""
    document = problem_document(ModelUnavailable()) | {"status": error.status_code, "title": str(error.detail)}
    if error.status_code < 500:
        document |= {"code": "bad-request", "type": "about:blank", "detail": str(error.detail)}
    return _refused(request, document)


def _refused(request: Request, document: dict[str, Any]) -> JSONResponse:
    """Log and return an error response that no worker has logged."""
    fields = {"status": document["status"], "code": document["code"], "path": request.url.path}
    log.write("WARNING", "refused", parse_origin(request.headers).fields | fields)
    return JSONResponse(document, document["status"], media_type="application/problem+json")


def main() -> None:
    """Serve until a signal comes."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        make_server().run(
            host=os.environ.get("HOST", "0.0.0.0"),  # noqa: S104
            port=int(os.environ.get("PORT", "8080")),
            log_level="warning",
            generate_client_file=False,
        )
    except KeyboardInterrupt:
        pass
    finally:
        for child in multiprocessing.active_children():
            child.terminate()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """LitServe ends its processes on an interrupt; a termination would leave them behind. They inherit this."""
    if multiprocessing.parent_process() is not None:
        raise SystemExit
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
