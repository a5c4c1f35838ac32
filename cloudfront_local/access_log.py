"""CloudFront's standard access logs (version 1.0): one tab-separated line per request, one file per hour."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from .messages import Request, Response

_NAMES = (
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) "
    "cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken "
    "x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status "
    "fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len "
    "sc-range-start sc-range-end"
)
"""The fields in order (CloudFront developer guide, "Standard logging reference")."""

FIELDS = _NAMES.split()
HEADER = f"#Version: 1.0\n#Fields: {_NAMES}\n"

_UNENCODED = "!$&()*+,-./:;=?@_%"
"""Characters that are not encoded in a value; paths and queries contain percent signs because they are encoded already.
"""


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A request that was answered at ``ended_s``, Unix time. ``domain`` is the distribution's own."""

    request: Request
    answer: Response
    domain: str
    ended_s: float
    took_s: float


def format_record(visit: LogRecord) -> str:
    """Format the line of ``visit``, which contains the viewer's address, as CloudFront's lines do.

    Path and query are those that the viewer sent. Cookies are not logged, as configured in the template.
    """
    ended = datetime.fromtimestamp(visit.ended_s, UTC)
    request, answer = visit.request, visit.answer
    result = answer.headers.get("X-Cache", "Error").partition(" ")[0]
    size, took = len(answer.body), f"{visit.took_s:.3f}"
    values = {
        "date": f"{ended:%Y-%m-%d}",
        "time": f"{ended:%H:%M:%S}",
        "x-edge-location": answer.headers.get("X-Amz-Cf-Pop", ""),
        "sc-bytes": str(size),
        "c-ip": request.client_ip,
        "cs-method": request.method,
        "cs(Host)": visit.domain,
        "cs-uri-stem": request.path,
        "sc-status": str(answer.status),
        "cs(Referer)": request.headers.get("referer", ""),
        "cs(User-Agent)": request.headers.get("user-agent", ""),
        "cs-uri-query": request.query or "",
        "x-edge-result-type": result,
        "x-edge-request-id": request.id,
        "x-host-header": request.headers.get("host", ""),
        "cs-protocol": "http",
        "time-taken": took,
        "x-edge-response-result-type": result,
        "cs-protocol-version": "HTTP/1.1",
        "time-to-first-byte": took,
        "x-edge-detailed-result-type": result,
        "sc-content-type": answer.headers.get("content-type", ""),
        "sc-content-len": answer.headers.get("content-length", str(size)),
    }
    return "\t".join(quote(values.get(name, ""), safe=_UNENCODED) or "-" for name in FIELDS) + "\n"


def file_name(prefix: str, distribution_id: str, at_s: float, unique: str) -> str:
    """Return the name of a log file for the hour of ``at_s``."""
    return f"{prefix}{distribution_id}.{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d-%H}.{unique}.gz"


def format_file(lines: Iterable[str]) -> bytes:
    """Return the content of a log file."""
    return gzip.compress((HEADER + "".join(lines)).encode())
