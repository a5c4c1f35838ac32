"""A client of a stack with inference: uploads, and the findings and derivatives that follow."""

from __future__ import annotations

import io
import json
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import numpy as np
from PIL import Image

from darkroom.findings import Face, Finding
from darkroom_analysis.models.catalogue import SMALL_MODELS, load_catalogue
from darkroom_analysis.models.model_set import ModelSet
from local.paths import MODELS
from tests.waiting import wait_until

from .conftest import Stack
from .viewer import Viewer

HANG_S = 900.0
"""Models share two processors with all else, and delayed messages return minutes later."""


@dataclass(frozen=True)
class InferenceClient:
    """The running ``stack``, and a ``viewer`` of it."""

    stack: Stack
    viewer: Viewer

    def _read_json(self, path: str) -> Any:
        with urllib.request.urlopen(self.stack.control_url + path, timeout=HANG_S) as answer:
            return json.load(answer)

    @property
    def endpoint(self) -> dict[str, Any]:
        """How the endpoint is: ``state`` and ``pid``."""
        return dict(self._read_json("/inference"))

    def ready(self) -> None:
        """Wait until the endpoint is."""
        wait_until(lambda: self.endpoint["state"] == "ready", "the endpoint is ready", HANG_S)

    def upload(self, key: str, body: bytes) -> None:
        """Put an upload."""
        facts = json.loads((self.stack.state / "stack.json").read_text())
        self.stack.cloud.s3.put_object(Bucket=facts["uploads_bucket"], Key=key, Body=body)

    def findings_of(self, key: str) -> dict[str, Any]:
        """Return the stack's findings of ``key``."""
        return dict(self._read_json(f"/findings?key={quote(key)}"))

    def makers(self, key: str) -> dict[str, str]:
        """Return the origins of findings by task."""
        tasks = self.findings_of(key).get("findings", {}).get("tasks", {})
        return {task: found["by"] for task, found in tasks.items()}

    def analysed(self, key: str) -> dict[str, Any]:
        """The tasks of ``key``, once the endpoint has done all of them."""

        def done() -> bool:
            found = self.findings_of(key).get("findings")
            return bool(found) and not found["pending"] and set(self.makers(key).values()) == {"endpoint"}

        wait_until(done, f"the endpoint has analysed {key}", HANG_S)
        return dict(self.findings_of(key)["findings"]["tasks"])

    def signed(self, key: str, query: str) -> str:
        """The signed URL of a print."""
        return self.viewer.signed(f"/{quote(key)}?{query}")

    def image(self, key: str, query: str) -> Image.Image:
        """A signed print."""
        answer = self.viewer.get(self.signed(key, query))
        assert answer.status == 200, (answer.status, answer.body)
        return Image.open(io.BytesIO(answer.body)).convert("RGB")


def detected(image: Image.Image) -> tuple[Face, ...]:
    """The faces that the detector finds in ``image``, at its own threshold."""
    models = ModelSet(load_catalogue(SMALL_MODELS), MODELS, ["faces"])
    found: Finding = models.detect(np.asarray(image), ["faces"])["faces"]
    return found.faces
