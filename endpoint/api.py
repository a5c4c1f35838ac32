"""Serve batches of images with LitServe: one queue, and a process for each GPU.

No postponed annotations here: LitServe and FastAPI read the signatures.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from litserve import LitAPI
from starlette.responses import JSONResponse, Response

from darkroom_analysis.models.catalogue import ModelCatalogue
from darkroom_analysis.models.model_set import ModelSet
from darkroom_analysis.models.onnx_model import Device

from .batch import BatchAnalyser, BatchResponse
from .batched_loop import WaitingBatchedLoop
from .engines import ENDPOINT_ENGINES
from .request import (
    ATTRIBUTES,
    AnalysisRequest,
    parse_origin,
    requested_tasks,
    requested_timeout_s,
    requests_explanation,
)

PATH = "/invocations"

AT_ONCE = 4
"""Runs of networks that share a CPU at most: an image has that many tasks. More cores give each run more threads."""


async def read_request(request: Request) -> AnalysisRequest:
    """Return the image and tasks of a request, before it is queued. Raises UnknownTask."""
    known = request.app.state.tasks
    attributes = request.headers.get(ATTRIBUTES, "")
    tasks, origin = requested_tasks(attributes, known), parse_origin(request.headers)
    timeout_s = requested_timeout_s(attributes)
    return AnalysisRequest(await request.body(), tasks, origin, requests_explanation(attributes), timeout_s)


class ImageApi(LitAPI):  # type: ignore[misc]
    """Returns findings of images. ``wait_s`` is how long a request waits for others of its batch."""

    def __init__(self, catalogue: ModelCatalogue, model_dir: Path, batch_size: int, wait_s: float) -> None:
        loop = WaitingBatchedLoop() if batch_size > 1 else "auto"
        super().__init__(max_batch_size=batch_size, batch_timeout=wait_s, api_path=PATH, loop=loop)
        self._catalogue = catalogue
        self._model_dir = model_dir
        self._finder: BatchAnalyser | None = None

    def setup(self, device: str) -> None:
        """Load the models in a worker process; ``device`` is ``cpu``, or ``cuda:`` and a number."""
        number = int(device.partition(":")[2] or 0)
        cores = os.cpu_count() or 1
        at_once = 1 if device.startswith("cuda") else min(AT_ONCE, cores)
        run_on = Device(number, cores // at_once, at_once)
        models = ModelSet(self._catalogue, self._model_dir, device=run_on, engines=ENDPOINT_ENGINES)
        self._finder = BatchAnalyser(self._catalogue, models, ThreadPoolExecutor(cores))

    def decode_request(self, request: Annotated[AnalysisRequest, Depends(read_request)]) -> AnalysisRequest:
        """Return the request as it was parsed."""
        return request

    def predict(self, asked: AnalysisRequest | list[AnalysisRequest]) -> BatchResponse | list[BatchResponse]:
        """Return the responses of a batch, or of one request if batches are disabled."""
        assert self._finder is not None
        if isinstance(asked, AnalysisRequest):
            return self._finder.analyse([asked])[0]
        return self._finder.analyse(asked)

    def encode_response(self, output: BatchResponse) -> Response:
        """Return the response as JSON; a header has the size of the batch and the duration of each stage."""
        media_type = "application/json" if output.status == 200 else "application/problem+json"
        timing = ",".join(f"{stage}:{spent_ms}" for stage, spent_ms in output.stages_ms.items())
        headers = {ATTRIBUTES: f"batch={output.batch};timing={timing}"}
        return JSONResponse(output.document, output.status, headers, media_type)
