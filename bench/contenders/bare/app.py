"""Answers at once, and imports nothing: what starting takes by itself."""

from typing import Any


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """An answer that counts as a picture."""
    return {"statusCode": 200, "headers": {}, "body": "", "isBase64Encoded": True}
