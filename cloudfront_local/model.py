"""A distribution's configuration as values: what the CDN decides by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum


class Pick(Enum):
    """How a policy chooses among a viewer's headers, cookies or query strings."""

    NONE = "none"
    ONLY = "whitelist"
    ALL = "all"
    EXCEPT = "allExcept"


@dataclass(frozen=True, slots=True)
class Selection:
    """The names a policy lets through. Header names are lower-case."""

    pick: Pick = Pick.NONE
    names: frozenset[str] = frozenset()

    def takes(self, name: str) -> bool:
        """Whether ``name`` is let through."""
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
    """What of a viewer's request a policy lets through."""

    headers: Selection = Selection()
    cookies: Selection = Selection()
    queries: Selection = Selection()


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """What names a cached answer, and the bounds of its life in seconds."""

    min_ttl_s: int = 0
    default_ttl_s: int = 86_400
    max_ttl_s: int = 31_536_000
    key: Selections = Selections()
    encodings: tuple[str, ...] = ()
    """Content codings that belong to the key, best first: some of ``br``, ``gzip``."""


@dataclass(frozen=True, slots=True)
class PolicyHeader:
    """A header that a response headers policy sets. Without ``override`` the origin's own value stays."""

    name: str
    value: str
    override: bool


@dataclass(frozen=True, slots=True)
class Cors:
    """Cross-origin sharing, as a response headers policy has it."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    allow_headers: tuple[str, ...]
    expose_headers: tuple[str, ...] = ()
    credentials: bool = False
    max_age_s: int | None = None
    override: bool = True


@dataclass(frozen=True, slots=True)
class ResponseHeadersPolicy:
    """What is done to the headers of every answer on its way to the viewer."""

    headers: tuple[PolicyHeader, ...] = ()
    cors: Cors | None = None
    removed: frozenset[str] = frozenset()


class OriginKind(Enum):
    """How an origin is signed for: the SigV4 service name, or not at all."""

    S3 = "s3"
    FUNCTION_URL = "lambda"
    PLAIN = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where answers come from. ``kind`` tells which origin access control signs."""

    id: str
    domain: str
    path: str = ""
    kind: OriginKind = OriginKind.PLAIN
    headers: tuple[tuple[str, str], ...] = ()
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class OriginGroup:
    """A primary origin, and a second one that is asked when the first answers one of ``statuses`` or not at all."""

    id: str
    members: tuple[str, ...]
    statuses: frozenset[int]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What happens to requests whose path matches ``pattern``. ``target`` is an origin or an origin group."""

    pattern: str
    target: str
    methods: frozenset[str]
    cached_methods: frozenset[str]
    cache: CachePolicy = CachePolicy()
    forward: Selections = Selections()
    respond: ResponseHeadersPolicy = ResponseHeadersPolicy()
    request_function: str = ""
    """The name of the CloudFront Function that sees the request first, or empty."""

    response_function: str = ""
    """The name of the one that sees the answer last, or empty."""


DEFAULT_ERROR_TTL_S = 10
"""For how long CloudFront caches an error at least, where nothing is configured."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """One distribution. ``behaviours`` are in order of precedence; the last is the default and matches everything."""

    id: str
    domain: str
    behaviours: tuple[Behaviour, ...]
    origins: dict[str, Origin] = field(default_factory=dict)
    groups: dict[str, OriginGroup] = field(default_factory=dict)
    error_ttl_s: dict[int, int] = field(default_factory=dict)
    """For how many seconds an error of a status is cached at least (``ErrorCachingMinTTL``)."""
    root_object: str = ""
    aliases: frozenset[str] = frozenset()
    """Host names of its own, lower-case."""
    log_bucket: str = ""
    """The bucket of its access logs, empty if it writes none."""
    log_prefix: str = ""

    def members(self, target: str) -> tuple[tuple[Origin, ...], frozenset[int]]:
        """The origins to ask for ``target`` in turn, and the statuses that lead to the next one."""
        group = self.groups.get(target)
        if group is None:
            return (self.origins[target],), frozenset()
        return tuple(self.origins[member] for member in group.members), group.statuses


def names(items: Iterable[str]) -> frozenset[str]:
    """Header names, lower-case."""
    return frozenset(item.lower() for item in items)
