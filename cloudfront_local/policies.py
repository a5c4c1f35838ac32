"""Convert CloudFront API documents to values of ``model``. Pure: the documents are boto3's results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .model import (
    CachePolicy,
    Cors,
    Origin,
    OriginGroup,
    OriginKind,
    Pick,
    PolicyHeader,
    ResponseHeadersPolicy,
    Selection,
    Selections,
    names,
)

type Document = Mapping[str, Any]

_HEADER_PICKS = {
    "none": Pick.NONE,
    "whitelist": Pick.ONLY,
    "allViewer": Pick.ALL,
    "allViewerAndWhitelistCloudFront": Pick.ALL,
    "allExcept": Pick.EXCEPT,
}
_PICKS = {"none": Pick.NONE, "whitelist": Pick.ONLY, "all": Pick.ALL, "allExcept": Pick.EXCEPT}


def items(part: Document, name: str) -> list[Any]:
    """Return the items of one of the API's ``{Quantity, Items}`` lists, empty if there is none."""
    return list((part.get(name) or {}).get("Items") or [])


def selections(config: Document) -> Selections:
    """Convert a cache policy's parameters or an origin request policy."""
    headers = config.get("HeadersConfig", {})
    cookies = config.get("CookiesConfig", {})
    queries = config.get("QueryStringsConfig", {})
    return Selections(
        Selection(_HEADER_PICKS[headers.get("HeaderBehavior", "none")], names(items(headers, "Headers"))),
        Selection(_PICKS[cookies.get("CookieBehavior", "none")], frozenset(items(cookies, "Cookies"))),
        Selection(_PICKS[queries.get("QueryStringBehavior", "none")], frozenset(items(queries, "QueryStrings"))),
    )


def cache_policy(config: Document) -> CachePolicy:
    """Convert a ``CachePolicyConfig``."""
    keyed = config.get("ParametersInCacheKeyAndForwardedToOrigin", {})
    switches = {"br": "EnableAcceptEncodingBrotli", "gzip": "EnableAcceptEncodingGzip"}
    min_ttl_s = int(config.get("MinTTL", 0))
    return CachePolicy(
        min_ttl_s,
        int(config.get("DefaultTTL", max(86_400, min_ttl_s))),
        int(config.get("MaxTTL", max(31_536_000, min_ttl_s))),
        selections(keyed),
        tuple(coding for coding, switch in switches.items() if keyed.get(switch)),
    )


def response_headers_policy(config: Document) -> ResponseHeadersPolicy:
    """Convert a ``ResponseHeadersPolicyConfig``."""
    custom = tuple(
        PolicyHeader(item["Header"], item["Value"], bool(item["Override"]))
        for item in items(config, "CustomHeadersConfig")
    )
    removed = names(item["Header"] for item in items(config, "RemoveHeadersConfig"))
    cors = _cors(config["CorsConfig"]) if config.get("CorsConfig") else None
    return ResponseHeadersPolicy(_security(config.get("SecurityHeadersConfig") or {}) + custom, cors, removed)


def _cors(config: Document) -> Cors:
    return Cors(
        origins=tuple(items(config, "AccessControlAllowOrigins")),
        methods=tuple(items(config, "AccessControlAllowMethods")),
        allow_headers=tuple(items(config, "AccessControlAllowHeaders")),
        expose_headers=tuple(items(config, "AccessControlExposeHeaders")),
        credentials=bool(config.get("AccessControlAllowCredentials")),
        max_age_s=config.get("AccessControlMaxAgeSec"),
        override=bool(config.get("OriginOverride", True)),
    )


def _security(config: Document) -> tuple[PolicyHeader, ...]:
    """Return the headers of a ``SecurityHeadersConfig``."""
    spelled: dict[str, tuple[str, Callable[[Document], str]]] = {
        "ContentTypeOptions": ("X-Content-Type-Options", lambda _: "nosniff"),
        "FrameOptions": ("X-Frame-Options", lambda part: part["FrameOption"]),
        "ReferrerPolicy": ("Referrer-Policy", lambda part: part["ReferrerPolicy"]),
        "ContentSecurityPolicy": ("Content-Security-Policy", lambda part: part["ContentSecurityPolicy"]),
        "StrictTransportSecurity": ("Strict-Transport-Security", _hsts),
        "XSSProtection": ("X-XSS-Protection", lambda part: "1; mode=block" if part.get("ModeBlock") else "1"),
    }
    return tuple(
        PolicyHeader(name, value(config[key]), bool(config[key].get("Override")))
        for key, (name, value) in spelled.items()
        if config.get(key)
    )


def _hsts(part: Document) -> str:
    switches = {"IncludeSubdomains": "; includeSubDomains", "Preload": "; preload"}
    return f"max-age={part['AccessControlMaxAgeSec']}" + "".join(
        text for key, text in switches.items() if part.get(key)
    )


def origin(document: Document, signed_as: str) -> Origin:
    """Convert an origin. ``signed_as`` is the origin type of its origin access control, or empty."""
    custom = document.get("CustomOriginConfig") or {}
    return Origin(
        document["Id"],
        document["DomainName"],
        document.get("OriginPath", ""),
        OriginKind(signed_as),
        tuple((item["HeaderName"], item["HeaderValue"]) for item in items(document, "CustomHeaders")),
        float(custom.get("OriginReadTimeout", 30)),
    )


def origin_group(document: Document) -> OriginGroup:
    """Convert an origin group."""
    members = tuple(item["OriginId"] for item in items(document, "Members"))
    return OriginGroup(document["Id"], members, frozenset(items(document["FailoverCriteria"], "StatusCodes")))


def log_bucket(document: Document) -> str:
    """Return the bucket of a distribution's ``Logging``, which contains its domain name; empty without logging."""
    return str(document.get("Bucket", "")).partition(".s3.")[0] if document.get("Enabled", True) else ""
