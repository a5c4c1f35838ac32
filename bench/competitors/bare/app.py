"""Answers at once, and imports nothing: what starting takes by itself."""

import os
from typing import Any

BODY = "A" * (-(-int(os.environ["PICTURE_BYTES"]) // 3) * 4)
"""As long as the base64 of a picture."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """An answer that counts as a picture."""
    return {"statusCode": 200, "headers": {}, "body": BODY, "isBase64Encoded": True}
