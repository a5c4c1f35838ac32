"""The packages that mutation testing covers, and their tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Package:
    """Sources to mutate, the test folders to run, and the seconds of tests for one mutant, as they were recorded."""

    folder: str
    tests: tuple[str, ...]
    suffix: str = ".py"
    budget_s: float = 30.0
    uses_ministack: bool = False

    def files(self) -> list[Path]:
        """Return the sources in a fixed order, without empty ones."""
        found = sorted((ROOT / self.folder).rglob(f"*{self.suffix}"))
        return [path for path in found if path.stat().st_size]


PACKAGES = {
    "plan": Package(
        "layers/darkroom/darkroom/plan",
        ("tests/unit", "tests/component/imaging", "tests/component/services"),
        uses_ministack=True,
    ),
    "steps": Package("layers/darkroom/darkroom/imaging/render/steps", ("tests/component/imaging",)),
    "ingest": Package(
        "layers/pipeline/darkroom_pipeline/services/ingest",
        ("tests/unit", "tests/component/services"),
        uses_ministack=True,
    ),
    "edge": Package("functions/edge", ("tests/unit/edge",), suffix=".js", budget_s=1000.0),
}
