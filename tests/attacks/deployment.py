"""One deployment in process: both edge functions in V8, the store that the CDN reads first, and the transform function.

Everything but CloudFront is the product's own code: the minified edge functions, and the services as
``functions/transform/app.py`` builds them. The CDN's cache is left out, so that every request reaches the origin.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import quote

from darkroom.aws.s3_fast import FastBucket
from darkroom.http.response import EdgeRequest, HttpResponse, respond
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.presets import load_default_presets
from darkroom.plan.variants import AccessMode
from darkroom_dialects.registry import DIALECTS
from darkroom_dialects.serving.handler import respond as respond_in
from darkroom_pipeline.plan.edge_settings import NO_PRIVATE_IMAGES, PrivateImages, build_edge_entries
from functions.edge.build import dialects_code, edge_code
from tests.component.services.dialects.serving import Served, served
from tests.component.services.test_transform import Keys
from tests.unit.edge.engine import EdgeEngine
from tests.unsigned_urls import Sent

DERIVATIVES = "derivatives"
HOST = "cdn.example.com"


@dataclass
class Deployment:
    """``bucket`` behind a CDN, in one access mode for every dialect.

    ``invocations`` counts requests that reached the function, ``statuses`` the responses by status.
    """

    bucket: FastBucket
    stack: Served
    native: EdgeEngine
    dialects: EdgeEngine
    invocations: int = 0
    statuses: Counter[int] = field(default_factory=Counter)

    @classmethod
    def of(
        cls,
        bucket: FastBucket,
        mode: AccessMode = AccessMode.GUARDED,
        always: str = "",
        private: PrivateImages = NO_PRIVATE_IMAGES,
        *,
        has_edge_store: bool = True,
    ) -> Self:
        """A deployment on ``bucket``, with the presets of presets.toml; ``always`` are rules of ``always_redact``.

        Without ``has_edge_store``, as in CloudFront's plan Free, the edge knows no settings.
        """
        code = dialects_code().replace("${InferenceMode}", "lambda" if always else "off")
        for name in ("Imgproxy", "Thumbor", "Dit"):
            code = code.replace(f"${{{name}DomainName}}", "")
        stack = served(bucket, mode, always=ForcedOptions.parse(always), inference=bool(always))
        keys = Keys(private.keys) if private.keys else stack.dialects.transform.keys
        transform = replace(
            stack.dialects.transform,
            mode=mode,
            keys=keys,
            private_prefixes=private.prefixes,
            edge_verifies=has_edge_store,
        )
        stack = replace(stack, dialects=replace(stack.dialects, transform=transform))
        entries = build_edge_entries(mode, always, load_default_presets(), private=private)
        return cls(bucket, stack, EdgeEngine(edge_code(), entries if has_edge_store else None), EdgeEngine(code))

    def close(self) -> None:
        """End both engines."""
        self.native.close()
        self.dialects.close()

    def send(self, sent: Sent, method: str = "GET") -> int:
        """Send a request as a viewer; the status of the response."""
        status = int(str(self.response(sent, method)["statusCode"]))
        self.statuses[status] += 1
        return status

    def response(self, sent: Sent, method: str = "GET") -> HttpResponse:
        """The response to a request; one from S3 has neither headers nor a body here."""
        path = sent.target.partition("?")[0]
        is_native = not any(
            path.startswith(prefix + "/") for one in DIALECTS for prefix in (one.prefix, *one.further_prefixes)
        )
        answer = (self.native if is_native else self.dialects).answer(event_of(sent, method))
        if "statusCode" in answer:
            return answer
        headers = {name: one["value"] for name, one in answer["headers"].items()}
        is_read = self.stack.dialects.transform.edge_verifies  # plans without a store have no failover either
        if is_native and is_read and self.bucket.etag(DERIVATIVES + answer["uri"]) is not None:
            return {"statusCode": 200}
        self.invocations += 1
        return self._invoke(answer["uri"], method, headers)

    def _invoke(self, uri: str, method: str, headers: Mapping[str, str]) -> HttpResponse:
        request = EdgeRequest(uri, method, headers)
        if request.dialect:
            return respond_in(self.stack.dialects, request)[0]
        return respond(self.stack.dialects.transform, request)[0]


def event_of(sent: Sent, method: str = "GET") -> dict[str, Any]:
    """The viewer-request event, in which CloudFront passes on names and values of a query as they were sent."""
    path, _, query = sent.target.partition("?")
    pairs: dict[str, list[str]] = {}
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        pairs.setdefault(name, []).append(value)
    return {
        "version": "1.0",
        "context": {"eventType": "viewer-request"},
        "viewer": {"ip": "198.51.100.11"},
        "rawQueryString": query,
        "request": {
            "method": method,
            "uri": quote(path, safe="/%!$&'()*+,;=:@~-._^|{}\"<>[]`\\"),
            "querystring": {
                name: {"value": values[0]} | ({"multiValue": [{"value": one} for one in values]} if values[1:] else {})
                for name, values in pairs.items()
            },
            "headers": {name: {"value": value} for name, value in {"host": HOST, **sent.headers}.items()},
            "cookies": {},
        },
    }
