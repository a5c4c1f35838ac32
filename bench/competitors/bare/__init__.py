"""Python under Lambda's runtime client, and nothing in it."""

from __future__ import annotations

from pathlib import Path

from ...emulator import interpreter
from ..model import Contender, aws_environment


def bare(picture_bytes: int = 0) -> Contender:
    """The function that does nothing but answer with so many bytes."""
    return Contender(
        name="Python",
        what="Lambda's runtime client with a handler that imports nothing and answers at once",
        command=[interpreter(), "-m", "awslambdaric", "app.handler"],
        folder=Path(__file__).parent,
        environment=aws_environment("http://nowhere")
        | {"PYTHONDONTWRITEBYTECODE": "1", "PICTURE_BYTES": str(picture_bytes)},
    )
