"""Python under Lambda's runtime client, without any imports."""

from __future__ import annotations

from pathlib import Path

from ...emulator import install_interpreter
from ..model import Competitor, build_aws_environment


def bare(image_bytes: int = 0) -> Competitor:
    """Return a function that responds with ``image_bytes`` bytes and does nothing else."""
    return Competitor(
        name="Python",
        what="Lambda's runtime client with a handler that imports nothing and answers at once",
        command=[install_interpreter(), "-m", "awslambdaric", "app.handler"],
        folder=Path(__file__).parent,
        environment=build_aws_environment("http://nowhere")
        | {"PYTHONDONTWRITEBYTECODE": "1", "IMAGE_BYTES": str(image_bytes)},
    )
