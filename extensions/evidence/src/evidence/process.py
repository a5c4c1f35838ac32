"""Run the analysis in a confined process: it decodes bytes of anyone who may upload.

The files are one after the other in its input, and their sizes are its arguments
(:mod:`darkroom_pipeline.conversion.sandbox`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from darkroom.errors import DamagedSource, OverLimits, TooSlow
from darkroom_pipeline.conversion import sandbox
from darkroom_pipeline.conversion.sandbox import ProcessLimits

from . import measures

MEMORY_BYTES = 2_000_000_000
"""Address space of the process; libraries take 0.6 GB of it, 64 megapixels of a progressive JPEG 0.5 GB."""

MAX_RESULT_BYTES = 4_000_000
"""Of the document, which goes into a response of 6 MB."""


class AnalysisFailed(Exception):
    """The process exceeded its limits or crashed. The message is for the report."""


@dataclass(frozen=True, slots=True)
class AnalysisProcess:
    """Starts a process for each image. ``memory_bytes`` limits its address space.

    ``timeout_s`` limits elapsed time, and ``cpu_s`` CPU time, by default to as much.
    """

    timeout_s: float
    memory_bytes: int = MEMORY_BYTES
    cpu_s: int = 0

    def analyse(self, data: bytes, copies: Mapping[str, bytes]) -> dict[str, Any]:
        """Return the document of :func:`.analysis.analyse`. Raises AnalysisFailed, or Unavailable at the timeout."""
        files = (data, *copies.values())
        cpu_s = self.cpu_s or round(self.timeout_s)
        limits = ProcessLimits(self.memory_bytes, MAX_RESULT_BYTES, cpu_s, self.timeout_s, threads=True)
        try:
            body = sandbox.run("evidence.worker", [len(file) for file in files], b"".join(files), limits)
        except TooSlow as error:
            raise AnalysisFailed("The analysis took too long") from error
        except (DamagedSource, OverLimits) as error:
            raise AnalysisFailed("The analysis ended: the image exceeds its limits") from error
        found: dict[str, Any] = json.loads(body)
        numbered = found[measures.COPIES]
        found[measures.COPIES] = {key: numbered[str(number)] for number, key in enumerate(copies)}
        return found
