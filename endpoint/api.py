"""The finder as LitServe serves it: one queue, batches, a process for each GPU.

No postponed annotations here: LitServe and FastAPI read them from the signatures below.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from litserve import LitAPI
from starlette.responses import JSONResponse, Response

from darkroom.models.catalogue import ModelCatalogue
from darkroom.models.model_set import ModelSet

from .batch import BatchAnalyser, BatchResponse
from .request import ATTRIBUTES, AnalysisRequest, parse_origin, requested_tasks

PATH = "/invocations"


async def read_request(request: Request) -> AnalysisRequest:
    """The request's picture and tasks, before it queues; raises UnknownTask."""
    known = request.app.state.tasks
    tasks = requested_tasks(request.headers.get(ATTRIBUTES, ""), known)
    return AnalysisRequest(await request.body(), tasks, parse_origin(request.headers))


class ImageApi(LitAPI):  # type: ignore[misc]
    """Findings for pictures. ``wait_s`` is how long a request waits for others to go through the models with it."""

    def __init__(self, catalogue: ModelCatalogue, model_dir: Path, batch_size: int, wait_s: float) -> None:
        super().__init__(max_batch_size=batch_size, batch_timeout=wait_s, api_path=PATH)
        self._catalogue = catalogue
        self._model_dir = model_dir
        self._finder: BatchAnalyser | None = None

    def setup(self, device: str) -> None:
        """Load the models, in a process of their own; ``device`` is ``cpu``, or ``cuda:`` and a number."""
        number = int(device.partition(":")[2] or 0)
        models = ModelSet(self._catalogue, self._model_dir, device=number)
        self._finder = BatchAnalyser(self._catalogue, models, ThreadPoolExecutor(os.cpu_count()))

    def decode_request(self, request: Annotated[AnalysisRequest, Depends(read_request)]) -> AnalysisRequest:
        """What was asked is known by now."""
        return request

    def predict(self, asked: AnalysisRequest | list[AnalysisRequest]) -> BatchResponse | list[BatchResponse]:
        """Answers to a batch, or where batches are switched off to the one request."""
        assert self._finder is not None
        if isinstance(asked, AnalysisRequest):
            return self._finder.analyse([asked])[0]
        return self._finder.analyse(asked)

    def encode_response(self, output: BatchResponse) -> Response:
        """As JSON; a header tells how many requests were answered together, and where the time of this one went."""
        media_type = "application/json" if output.status == 200 else "application/problem+json"
        timing = ",".join(f"{stage}:{spent_ms}" for stage, spent_ms in output.stages_ms.items())
        headers = {ATTRIBUTES: f"batch={output.batch};timing={timing}"}
        return JSONResponse(output.document, output.status, headers, media_type)
