"""Signed uploads: a form for one file, and what has become of it. The file itself goes to S3, past every function."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Protocol

from ..aws.forms import Forms
from ..aws.index import Index
from ..aws.record import Record
from ..aws.telemetry import log
from ..errors import BadToken, DarkroomError, NotGranted, NotIngested
from ..plan.keys import check_key, quote_key, unquote
from ..plan.limits import Limits
from ..plan.uploads import Grant, read_token, read_upload
from .answers import HttpResponse
from .problems import problem

FORM_LASTS_S = 900
"""How long a form may be sent: a quarter of an hour, within which a phone has to begin."""

PATH = "/uploads"


class KeySource(Protocol):
    """Where the signing keys come from."""

    def valid(self, *, distrust: bool = False) -> Sequence[str]:
        """The keys that are valid now; ``distrust`` asks for fresher ones if they are not fresh."""


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """A request to the upload API. ``authorization`` is the header of that name.

    ``asked_key`` is the rest of the path after ``/uploads/`` where the fate of an upload is asked for; None asks for a
    form, by the JSON in ``body``.
    """

    authorization: str
    asked_key: str | None = None
    body: bytes = b""


@dataclass(frozen=True)
class Uploads:
    """The service, with its adapters."""

    forms: Forms
    index: Index
    keys: KeySource
    max_bytes: int = Limits().max_bytes
    form_lasts_s: int = FORM_LASTS_S
    clock: Callable[[], float] = time.time

    def answer(self, request: UploadRequest) -> HttpResponse:
        """The answer as a Lambda response (payload format 2.0). Never raises a DarkroomError: it is the answer."""
        try:
            grant = self._grant(request.authorization)
            if request.asked_key is None:
                return _json(201, self._form(grant, request.body))
            return _json(200, self._fate(grant, request.asked_key))
        except DarkroomError as error:
            level = "ERROR" if error.status >= 500 else "INFO"
            log(level, error.message, code=error.code, status=error.status, detail=error.detail)
            return problem(error)

    def _grant(self, authorization: str) -> Grant:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise BadToken("Send the upload token in the header Authorization: Bearer <token>")
        token = token.strip(" ")
        try:
            return read_token(token, self.keys.valid(), self.clock())
        except BadToken:
            return read_token(token, self.keys.valid(distrust=True), self.clock())

    def _form(self, grant: Grant, body: bytes) -> dict[str, object]:
        upload = read_upload(body, grant, self.max_bytes)
        expires_s = self.clock() + self.form_lasts_s
        form = self.forms.form(
            upload.key, upload.media_type, upload.size_bytes, upload.checksum, lasts_s=self.form_lasts_s
        )
        log("INFO", "form made", key=upload.key, size_bytes=upload.size_bytes, type=upload.media_type)
        return {
            "key": upload.key,
            **asdict(form),
            "expires_at": datetime.fromtimestamp(int(expires_s), UTC).isoformat(),
            "status": f"{PATH}/{quote_key(upload.key)}",
        }

    def _fate(self, grant: Grant, asked_key: str) -> dict[str, object]:
        key = _read_key(asked_key)
        if not grant.covers(key):
            raise NotGranted
        record = self.index.get(key)
        if record is None:
            raise NotIngested
        return {"key": key, "state": record.state, **_details(record, grant)}


def _read_key(asked_key: str) -> str:
    """The key that a path asks for; raises BadKey. An HTTP API hands a path on decoded, except for ``%25``."""
    try:
        return check_key(unquote(asked_key))
    except ValueError:
        return check_key(asked_key)


def _details(record: Record, grant: Grant) -> dict[str, object]:
    """What is told beside the state. A key that holds the same bytes is named only to who may upload there too."""
    match record.state:
        case "ready":
            same_as = {"same_as": record.same_as} if record.same_as and grant.covers(record.same_as) else {}
            return {**_version(record), **same_as, "picture": dict(record.facts)}
        case "refused":
            return _version(record) | {name: record.refusal.get(name, "") for name in ("code", "reason", "sha256")}
    return {}


def _version(record: Record) -> dict[str, object]:
    return {"sha256": record.sha256, "version": record.version_id, "updated_at": record.updated_at}


def _json(status: int, document: dict[str, object]) -> HttpResponse:
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(document)}
