"""The upload function as deployed, called as its HTTP API calls it, with MiniStack behind it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote

import urllib3

from darkroom.services.upload_requests import Grant, make_token
from darkroom_pipeline.aws.presigned_post import PresignedPost
from darkroom_pipeline.aws.record import READY, Record, to_item

ROOT = Path(__file__).parents[4]
DOCS = ROOT / "docs" / "guides" / "uploads.md"
DATA = b"\xff\xd8\xff not much of a photograph"
SHA256 = hashlib.sha256(DATA)
KEYS = {"current": "the current signing key", "previous": "the previous signing key"}

READY_RECORD = Record(
    "trips/ready.jpg",
    READY,
    "1",
    sha256="ab" * 32,
    version_id="v1",
    facts={"width": 640, "height": 480, "format": "jpeg", "thumbhash": "1QcSHQRnh493V4dIh4eXh1h4kJUI"},
    provenance={"camera": "not for everyone"},
    updated_at="2026-11-25T12:00:00+00:00",
)

_pool = urllib3.PoolManager(retries=False)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    document: dict[str, Any]


@dataclass(frozen=True)
class Api:
    """The function, called as the HTTP API calls it, and its resources."""

    app: ModuleType
    s3: Any
    dynamodb: Any
    bucket: str
    table: str

    def call(self, method: str, path: str, authorization: str | None, body: bytes | None = None) -> Answer:
        """As AWS does, by payload format 2.0: the path arrives decoded but for ``%25``."""
        headers = {} if authorization is None else {"authorization": authorization}
        event: dict[str, Any] = {"version": "2.0", "rawPath": path, "headers": headers, "isBase64Encoded": False}
        if method == "POST":
            event |= {"routeKey": f"POST {path}", "body": (body or b"").decode()}
        else:
            decoded = "%25".join(unquote(part) for part in path.removeprefix("/uploads/").split("%25"))
            event |= {"routeKey": "GET /uploads/{key+}", "pathParameters": {"key": decoded}}
        made = self.app.handler(event, None)
        return Answer(made["statusCode"], made["headers"], json.loads(made["body"]))

    def ask(self, token: str | None = None, **changes: object) -> Answer:
        """Ask for a form for a small JPEG."""
        document = {"key": "trips/rome.jpg", "type": "image/jpeg", "size": len(DATA), "sha256": SHA256.hexdigest()}
        body = json.dumps(document | changes).encode()
        return self.call("POST", "/uploads", f"Bearer {token or token_for('trips/')}", body)

    def fate(self, key_in_path: str, token: str | None = None) -> Answer:
        return self.call("GET", f"/uploads/{key_in_path}", f"Bearer {token or token_for('trips/')}")

    def know(self, record: Record) -> None:
        self.dynamodb.put_item(TableName=self.table, Item=to_item(record))

    def uploaded(self, key: str) -> Any:
        """The body of ``key`` in S3, None if there is none."""
        try:
            return self.s3.get_object(Bucket=self.bucket, Key=key)
        except self.s3.exceptions.NoSuchKey:
            return None


def token_for(
    prefix: str,
    *,
    lasts_s: int = 900,
    key: str = KEYS["current"],
    max_bytes: int | None = None,
    max_files: int | None = None,
) -> str:
    return make_token(Grant(prefix, int(time.time()) + lasts_s, max_bytes, max_files), key)


def send(form: dict[str, Any] | PresignedPost, data: bytes = DATA, **changes: str | None) -> tuple[int, str]:
    """POST a form to S3, as a browser does; its status and error code. A field that is changed to None is left out."""
    document = {"url": form.url, "fields": dict(form.fields)} if isinstance(form, PresignedPost) else form
    fields = {name: value for name, value in (document["fields"] | changes).items() if value is not None}
    answer = _pool.request(
        "POST", document["url"], fields=[*fields.items(), ("file", ("photo.jpg", data, "text/plain"))]
    )
    code = re.search(rb"<Code>(.*?)</Code>", answer.data)
    return answer.status, code[1].decode() if code else ""


def documented_commands() -> str:
    """The blocks of the section, without the first, which needs a stack on AWS: it sets the variables."""
    section = DOCS.read_text(encoding="utf-8").partition("## With curl")[2].partition("\n## ")[0]
    setting, *rest = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    assert [line.partition("=")[0] for line in setting.splitlines()] == ["token", "api"]
    return "\n".join(rest)


def run_documented(folder: Path, api: str, token: str) -> subprocess.CompletedProcess[str]:
    """The documented curl commands, in a folder with a ``rome.jpg``."""
    environment = {"PATH": os.environ["PATH"], "api": api, "token": token, "LANG": "C.UTF-8"}
    command = ["bash", "-euc", documented_commands()]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
