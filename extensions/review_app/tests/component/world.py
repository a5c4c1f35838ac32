"""The review function with a stack's resources in MiniStack, an issuer, and ingest to carry decisions out."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from PIL import Image

from darkroom.findings import MODERATION, Explanation, Finding, Findings, Label
from darkroom_pipeline.aws.audit import AuditLog
from darkroom_pipeline.aws.documents import DocumentStore
from darkroom_pipeline.aws.findings_store import FindingsRecord
from darkroom_pipeline.services.ingest.context import IngestOutcome
from darkroom_pipeline.services.ingest.events import build_verdict_message
from extensions import find_extension
from extensions.review_app.tests.issuer import ADA, CLIENT_ID, Account, Issuer
from tests.component.services import functions
from tests.component.services.functions import Function
from tests.component.services.ingest_environment import IngestEnvironment
from tests.images.hidden import flagged_drawing

SITE = "https://images.example.com"
SESSION = "__Host-darkroom-session"
EXPLANATION = Explanation(0.986, 0.8, (*(0.986,) * 8, 0.05, 0.04, *(0.986,) * 26), (9,), 0.039)


@dataclass(frozen=True)
class Answer:
    """A response of the function."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass
class World:
    """``site`` is where the app is served; ``taken`` is ingest."""

    taken: IngestEnvironment
    issuer: Issuer
    environment: dict[str, str]
    site: str = SITE
    settings: dict[str, Any] | None = field(default_factory=dict)
    _function: Function | None = None

    @classmethod
    def build(
        cls, aws: Callable[[str], Any], aws_environment: Mapping[str, str], issuer: Issuer, site: str = SITE
    ) -> World:
        """Create new resources."""
        taken = IngestEnvironment.build(aws)
        taken.blocks = True
        secret = aws("secretsmanager").create_secret(
            Name=f"keys-{taken.names['index']}", SecretString=json.dumps({"current": "k" * 43, "previous": ""})
        )
        names = taken.names
        environment = {
            **aws_environment,
            "MEDIA_BUCKET": names["media"],
            "INDEX_TABLE": names["index"],
            "AUDIT_BUCKET": names["audit"],
            "REVIEW_QUEUE_URL": names["reviews"],
            "SIGNING_KEYS_ARN": secret["ARN"],
            "ISSUER": issuer.url,
            "PAGES_URL": issuer.url,
            "CLIENT_ID": CLIENT_ID,
            "APP_URL": f"{site}/_/review/",
        }
        return cls(taken, issuer, environment, site)

    @property
    def function(self) -> Function:
        """The function, loaded once."""
        if self._function is None:
            self._function = functions.load(
                "review", self.environment, self.settings, within=find_extension("review_app").folder
            )
        return self._function

    def send(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        cookies: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Send a request below ``/_/review/`` as the HTTP API does."""
        sent = dict(cookies or {}) | ({SESSION: token} if token else {})
        result = self.function.invoke(make_event(method, path, sent, query or {}, headers or {}, body))
        return read_result(result)

    def get(self, path: str, account: Account | None = ADA, **query: str) -> Answer:
        """Request ``path`` as ``account``."""
        return self.send("GET", path, token=self.issuer.token(account) if account else "", query=query)

    def post(
        self, path: str, document: object, account: Account = ADA, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send ``document`` as a page of the app does."""
        own = {"origin": self.site, "content-type": "application/json"} if headers is None else headers
        token = self.issuer.token(account)
        return self.send("POST", path, token=token, headers=own, body=json.dumps(document).encode())

    def decide(self, key: str, decision: str, account: Account = ADA, version: str = "") -> Answer:
        """Decide about what is held under ``key``, by default about its current version."""
        seen = version or self.taken.record(key).token
        return self.post("api/review", {"key": key, "decision": decision, "version": seen}, account)

    def carry_out(self) -> list[IngestOutcome]:
        """Run ingest on the decisions that were sent."""
        found = []
        for message in self.taken.messages("reviews"):
            message.pop("attributes")
            found.append(self.taken.message(message))
        return found

    def hold(
        self,
        key: str,
        body: bytes = b"",
        explanation: Explanation | None = EXPLANATION,
        labels: tuple[Label, ...] = (Label("nsfw", 0.986),),
        error: str = "",
    ) -> bytes:
        """Have an upload held and flagged, with findings of a model or the ``error`` of one; return its bytes."""
        body = body or png(flagged_drawing())
        self.taken.created(key, body)
        held = self.taken.record(key).held
        finding = Finding(MODERATION, "open-nsfw", "1", labels=labels, flagged=True, explanation=explanation)
        if error:
            finding = Finding(MODERATION, "", "", error=error)
        findings = Findings("1", held.master.bare_etag, {MODERATION: finding})
        noted = FindingsRecord(findings, "id", held.sha256, flagged=None if error else True, announced=True)
        assert self.taken.archive.write_record(key, noted)
        assert self.taken.message(build_verdict_message(key)) is IngestOutcome.HELD
        return body

    @property
    def audit(self) -> AuditLog:
        return AuditLog(self.taken.vault("audit"))

    @property
    def entries(self) -> DocumentStore:
        return DocumentStore(self.taken.clients["dynamodb"], self.taken.names["index"])


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def make_event(
    method: str,
    path: str,
    cookies: Mapping[str, str],
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: bytes,
) -> dict[str, Any]:
    """Return an event of the route (payload format 2.0)."""
    return {
        "version": "2.0",
        "routeKey": "ANY /_/review/{proxy+}",
        "rawPath": f"/_/review/{path}",
        "rawQueryString": urlencode(query),
        "cookies": [f"{name}={value}" for name, value in cookies.items()],
        "headers": dict(headers),
        "requestContext": {"http": {"method": method, "path": f"/_/review/{path}"}},
        "body": body.decode(),
        "isBase64Encoded": False,
    }


def read_result(result: Mapping[str, Any]) -> Answer:
    """Convert the result of the function."""
    from base64 import b64decode

    body = b64decode(result["body"]) if result.get("isBase64Encoded") else result["body"].encode()
    return Answer(result["statusCode"], result["headers"], result["cookies"], body)
