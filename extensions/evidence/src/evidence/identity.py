"""Prove who an operator is: by a request to STS that the operator has signed and the function sends.

A record of custody names a person. A name that the caller writes proves nothing. So the caller signs
``GetCallerIdentity`` with its own credentials (AWS STS API reference), by Signature Version 4 in the query, and the
function sends it: only STS knows whose credentials signed. A signed header binds the request to one action, so that it
is valid for no other.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

from darkroom.errors import NotGranted, Unavailable

HEADER = "x-darkroom-custody"
VALID_S = 60
"""Of a signed request: the function sends it at once."""

TIMEOUT_S = 5.0
MAX_QUERY_CHARACTERS = 8_192
"""Security tokens of roles take up to some 4,000."""

MAX_RESPONSE_BYTES = 65_536
_ARN = re.compile(r"<Arn>(arn:[^<\s]{1,2048})</Arn>")


EXPORT, HOLD, RELEASE = "export", "hold", "release"
"""Actions of operators."""


def bind_action(action: str, key: str, reason: str) -> str:
    """Return the value of :data:`HEADER` for an action on ``key``."""
    return sha256(json.dumps([action, key, reason]).encode()).hexdigest()


def sign_identity(client: Any, action: str, key: str, reason: str) -> str:
    """Return the signed query of ``GetCallerIdentity`` for one action. ``client`` is boto3's for STS."""
    bound = bind_action(action, key, reason)

    def bind(request: Any, **_: Any) -> None:
        request.headers[HEADER] = bound

    event = "before-sign.sts.GetCallerIdentity"
    client.meta.events.register(event, bind)
    try:
        url = client.generate_presigned_url("get_caller_identity", ExpiresIn=VALID_S, HttpMethod="GET")
    finally:
        client.meta.events.unregister(event, bind)
    return str(urlsplit(url).query)


def prove_identity(query: str, action: str, key: str, reason: str, endpoint: str) -> str:
    """Return the ARN of the principal that has signed ``query`` for this action.

    ``endpoint`` is the address of STS that the function uses, whatever the caller has signed for. Raises NotGranted if
    STS does not accept the request, or Unavailable if it does not respond.
    """
    _check(query)
    url = f"{endpoint.rstrip('/')}/?{query}"
    request = Request(url, headers={HEADER: bind_action(action, key, reason)})  # noqa: S310 - an address of AWS
    try:
        with urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            found = _ARN.search(answer.read(MAX_RESPONSE_BYTES).decode("utf-8", "replace"))
    except HTTPError as error:
        if error.code >= 500:
            raise Unavailable(detail=f"STS: {error.code}") from error
        raise NotGranted("The identity of the operator is not proven", detail=f"STS: {error.code}") from error
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(detail=f"STS: {error!r}") from error
    if found is None:
        raise Unavailable(detail="STS named no principal")
    return found[1]


def prove_request(asked: Mapping[str, Any], action: str, endpoint: str) -> tuple[str, str, str]:
    """Return key and reason of what an operator has ``asked`` for, and the operator.

    Raises NotGranted, or Unavailable, as :func:`prove_identity` does.
    """
    key, reason = str(asked["key"]), str(asked.get("reason", ""))
    return key, reason, prove_identity(str(asked.get("identity", "")), action, key, reason, endpoint)


def _check(query: str) -> None:
    """Raise NotGranted unless ``query`` asks for nothing but the identity, and covers the header."""
    values = parse_qs(query) if len(query) <= MAX_QUERY_CHARACTERS else {}
    signed = values.get("X-Amz-SignedHeaders", [""])[0].split(";")
    if values.get("Action") != ["GetCallerIdentity"] or HEADER not in signed or not {"X-Amz-Signature"} <= set(values):
        raise NotGranted("The identity of the operator is not proven: sign GetCallerIdentity with the header")
