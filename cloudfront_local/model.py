"""A distribution's configuration as values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum


class Pick(Enum):
    """How a policy selects among a viewer's headers, cookies or query strings."""

    NONE = "none"
    ONLY = "whitelist"
    ALL = "all"
    EXCEPT = "allExcept"


@dataclass(frozen=True, slots=True)
class Selection:
    """The names that a policy forwards. Header names are lower-case."""

    pick: Pick = Pick.NONE
    names: frozenset[str] = frozenset()

    def takes(self, name: str) -> bool:
        """Return whether ``name`` is selected."""
        match self.pick:
            case Pick.NONE:
                return False
            case Pick.ALL:
                return True
            case Pick.ONLY:
                return name in self.names
            case Pick.EXCEPT:
                return name not in self.names


@dataclass(frozen=True, slots=True)
class Selections:
    """The parts of a viewer's request that a policy forwards."""

    headers: Selection = Selection()
    cookies: Selection = Selection()
    queries: Selection = Selection()


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """The parts of a cache key, and the TTL limits in seconds."""

    min_ttl_s: int = 0
    default_ttl_s: int = 86_400
    max_ttl_s: int = 31_536_000
    key: Selections = Selections()
    encodings: tuple[str, ...] = ()
    """Content codings that belong to the key, best first: some of ``br``, ``gzip``."""


@dataclass(frozen=True, slots=True)
class PolicyHeader:
    """A header that a response headers policy sets. Without ``override`` the origin's own value takes precedence."""

    name: str
    value: str
    override: bool


@dataclass(frozen=True, slots=True)
class Cors:
    """CORS settings of a response headers policy."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    allow_headers: tuple[str, ...]
    expose_headers: tuple[str, ...] = ()
    credentials: bool = False
    max_age_s: int | None = None
    override: bool = True


@dataclass(frozen=True, slots=True)
class ResponseHeadersPolicy:
    """Changes to the headers of every response to a viewer."""

    headers: tuple[PolicyHeader, ...] = ()
    cors: Cors | None = None
    removed: frozenset[str] = frozenset()


class OriginKind(Enum):
    """The SigV4 service name with which origin access control signs, empty without signature."""

    S3 = "s3"
    FUNCTION_URL = "lambda"
    PLAIN = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """An origin. ``kind`` is the service for which origin access control signs."""

    id: str
    domain: str
    path: str = ""
    kind: OriginKind = OriginKind.PLAIN
    headers: tuple[tuple[str, str], ...] = ()
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class OriginGroup:
    """A primary origin, and a second one for requests that the first answers with one of ``statuses`` or not at all."""

    id: str
    members: tuple[str, ...]
    statuses: frozenset[int]


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What replaces the body of an error: the response to ``path``, with ``status``."""

    path: str
    status: int


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Settings for requests whose path matches ``pattern``. ``target`` is an origin or an origin group."""

    pattern: str
    target: str
    methods: frozenset[str]
    cached_methods: frozenset[str]
    cache: CachePolicy = CachePolicy()
    forward: Selections = Selections()
    respond: ResponseHeadersPolicy = ResponseHeadersPolicy()
    request_function: str = ""
    """The name of the viewer-request function, or empty."""

    response_function: str = ""
    """The name of the viewer-response function, or empty."""


DEFAULT_ERROR_TTL_S = 10
"""Minimum time for which CloudFront caches an error by default."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """One distribution. ``behaviours`` are in order of precedence; the last is the default and matches everything."""

    id: str
    domain: str
    behaviours: tuple[Behaviour, ...]
    origins: dict[str, Origin] = field(default_factory=dict)
    groups: dict[str, OriginGroup] = field(default_factory=dict)
    error_ttl_s: dict[int, int] = field(default_factory=dict)
    """Minimum seconds for which an error is cached, by status (``ErrorCachingMinTTL``)."""
    error_pages: dict[int, ErrorPage] = field(default_factory=dict)
    """By the status of the error that each replaces (``ResponsePagePath``)."""
    root_object: str = ""
    aliases: frozenset[str] = frozenset()
    """Its alternate domain names, lower-case."""
    log_bucket: str = ""
    """The bucket of its access logs, empty without logging."""
    log_prefix: str = ""

    def members(self, target: str | OriginGroup) -> tuple[tuple[Origin, ...], frozenset[int]]:
        """Return the origins for ``target``, a group or an id, in order, and the statuses that trigger failover."""
        group = target if isinstance(target, OriginGroup) else self.groups.get(target)
        if group is None:
            return (self.origins[str(target)],), frozenset()
        return tuple(self.origins[member] for member in group.members), group.statuses


def names(items: Iterable[str]) -> frozenset[str]:
    """Return header names in lower case."""
    return frozenset(item.lower() for item in items)
