"""Interfaces of the analysis service: detectors, endpoint models and the sample recorder.

``functions/infer/app.py`` injects the implementations. ``C`` is the type of a shadow test's comparison, which the
service passes from the models to the recorder unread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from darkroom.findings import Explanation, Finding
from darkroom_pipeline.aws.sagemaker import InferenceResult

if TYPE_CHECKING:
    from darkroom_pipeline.services.masters import CurrentMaster

type Distance = Callable[[Finding, Finding], float | None]
"""Distance of two findings for one task, from 0 (equal) to 1; None if they cannot be compared."""


type Explain = Callable[[bytes], Explanation | None]
"""Why moderation flags an image; None if that is unknown."""


class Prediction[C](NamedTuple):
    """The ``result`` to store, and the ``comparison`` of a shadow test; None without one."""

    result: InferenceResult
    comparison: C | None = None


class Detector(Protocol):
    """Models within this process."""

    @property
    def tasks(self) -> Sequence[str]:
        """Tasks that have a model."""

    def detect(self, jpeg: bytes, tasks: Sequence[str]) -> dict[str, Finding]:
        """Return the findings for those of ``tasks`` that have a model. Raises ModelUnavailable."""

    def explain(self, jpeg: bytes) -> Explanation | None:
        """Explain why moderation flags the image; None if it cannot."""


class EndpointModels[C](Protocol):
    """Models of an endpoint."""

    def predict(self, jpeg: bytes, tasks: Sequence[str], image_id: str) -> Prediction[C] | None:
        """Analyse an image; None if the endpoint does not respond."""

    def predict_views(
        self, views: Sequence[tuple[bytes, Sequence[str]]], image_id: str, *, needed: int
    ) -> list[Mapping[str, Finding]] | None:
        """Analyse further images of one source, each for its own tasks, or as many as there is time for.

        None if one request fails, or there is no time for the first ``needed``.
        """

    def explain(self, jpeg: bytes, image_id: str, variant: str) -> Explanation | None:
        """Explain why moderation of ``variant`` flags the image; None if it cannot, or does not respond."""


class SampleRecorder[C](Protocol):
    """Samples of analysed images."""

    def record(self, master: CurrentMaster, facts: Mapping[str, Any], jpeg: bytes, prediction: Prediction[C]) -> None:
        """Store a sample of ``jpeg``, rendered from ``master``; ``facts`` are those of the index. Raises nothing."""

    def delete(self, key: str) -> int:
        """Delete all samples of ``key``; return their number. Raises Unavailable."""
