"""HTTP headers and metadata of derivatives, and conditional requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from zlib import crc32

from .. import VERSION
from ..plan.model import MODEL_UPSCALE, Plan

if TYPE_CHECKING:
    from ..imaging.render.output import MezzanineOf

type StoredEffort = Literal["quick", "thorough"]
"""Values of :data:`PACE`: encoded for a first request, or in the background (``fast`` and ``slow`` in imaging)."""

SOURCE_ETAG = "source-etag"
"""User metadata of a derivative: :func:`source_version` of its master. A purge compares it."""

UPLOAD_SHA256 = "sha256"
"""User metadata of a master: the SHA-256 of its upload."""

MASTER_RIGHTS = "rights"
"""User metadata of a master: :attr:`darkroom.imaging.formats.metadata.rights.Rights.text`, as the upload states them.
Masters of earlier versions have none, and others may have any text."""

MASTER_SHA256 = "master-sha256"
"""User metadata of a master: the SHA-256 of its bytes as ingest wrote them, after it had removed the metadata and
decoded every pixel. It does not match other bytes with a copy of this field."""

MASTER_HEADER = "master-header"
"""User metadata of a mezzanine: :attr:`darkroom.imaging.formats.image_format.Header.text` of its master."""

RENDERER = "renderer"
"""User metadata of a derivative: the version of Darkroom that rendered it."""

PACE = "pace"
"""User metadata of a derivative: how hard its encoder tried (:data:`StoredEffort`), if known."""

UNREFINED_S = 7_200
"""CDN age of a derivative that will be re-encoded: longer than queue and encoder take (15 minutes), short enough that
most views get the smaller one. Each expiry costs one GET per edge location."""

RESAMPLED_S = 600
"""Age of a resampled image that a model will enlarge: the delay of the queue, and as long again. It is also that in
browsers, since the difference shows."""

PROVISIONAL_S = 30
"""CDN age of an image rendered before its findings were known, which mostly takes seconds."""


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """Ages of derivatives in browsers and the CDN.

    A purge reaches the CDN but no browser, hence the two ages. ``immutable_prefixes`` are key prefixes of
    content-addressed objects, whose images never change. ``refines``: whether derivatives of the finite set are
    re-encoded, after which the CDN should fetch the smaller ones.
    """

    browser_max_age_s: int = 86_400
    cdn_max_age_s: int = 31_536_000
    stale_while_revalidate_s: int = 86_400
    immutable_prefixes: tuple[str, ...] = ()
    refines: bool = False

    def cache_control(self, key: str, *, unrefined: bool = False) -> str:
        """Return the Cache-Control of derivatives of ``key``; ``unrefined``: of one that will be re-encoded."""
        cdn_s = min(UNREFINED_S, self.cdn_max_age_s) if unrefined else self.cdn_max_age_s
        if self.immutable_prefixes and key.startswith(self.immutable_prefixes):
            shared = f", s-maxage={cdn_s}" if unrefined else ""
            return f"public, max-age={self.cdn_max_age_s}{shared}, immutable"
        return (
            f"public, max-age={self.browser_max_age_s}, s-maxage={cdn_s}, "
            f"stale-while-revalidate={self.stale_while_revalidate_s}"
        )


def derivative_headers(
    plan: Plan, content_type: str, policy: CachePolicy, *, unrefined: bool = False
) -> dict[str, str]:
    """Return the headers that a derivative of ``plan`` is stored and served with.

    ``unrefined``: it was encoded fast and will be re-encoded.
    """
    cache_control = policy.cache_control(plan.key, unrefined=unrefined and policy.refines)
    if plan.upscale == MODEL_UPSCALE and unrefined and policy.refines:
        cache_control = f"public, max-age={RESAMPLED_S}, s-maxage={RESAMPLED_S}"
    headers = {"Content-Type": content_type, "Cache-Control": cache_control}
    if plan.download:
        name = f"{plan.download}.{_extension(content_type)}" if plan.append_extension else plan.download
        headers["Content-Disposition"] = _disposition("inline" if plan.inline else "attachment", name)
    return headers


def provisional_headers(plan: Plan, content_type: str) -> dict[str, str]:
    """Return the headers of a provisional image: the CDN revalidates after half a minute."""
    return derivative_headers(plan, content_type, CachePolicy()) | {
        "Cache-Control": f"public, max-age=0, s-maxage={PROVISIONAL_S}"
    }


def derivative_metadata(version: str, pace: StoredEffort | None = None) -> dict[str, str]:
    """Return the user metadata of a derivative of the master with this :func:`source_version`."""
    return {SOURCE_ETAG: version.strip('"'), RENDERER: VERSION} | ({PACE: pace} if pace else {})


def source_version(plan: Plan, master_etag: str, rights: str) -> str:
    """Return what identifies the source of a derivative: the entity tag of its master, without quotes.

    ``rights`` are those in the master's metadata (:data:`MASTER_RIGHTS`). They are part of the version of a derivative
    that states them, since masters with other rights can have the same bytes.
    """
    plain, with_rights = list_source_versions(master_etag, rights)
    return with_rights if plan.rights or plan.format == "json" else plain


def list_source_versions(master_etag: str, rights: str) -> tuple[str, str]:
    """Return the versions of derivatives of a master: of those that do not state its rights, and of those that do."""
    bare = master_etag.strip('"')
    return bare, f"{bare}.{crc32(rights.encode()):08x}"


def describe_mezzanine(mezzanine: MezzanineOf, master_etag: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return HTTP headers and user metadata of a mezzanine of the master with this entity tag."""
    metadata = {MASTER_HEADER: mezzanine.master_header, **derivative_metadata(master_etag)}
    return {"Content-Type": "image/jpeg"}, metadata


def etag_matches(if_none_match: str, etag: str) -> bool:
    """Compare weakly against a list of entity tags or ``*`` (RFC 9110, 13.1.2)."""
    candidates = [candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")]
    return etag in candidates or "*" in candidates


def _extension(content_type: str) -> str:
    subtype = content_type.rpartition("/")[2]
    return {"jpeg": "jpg", "svg+xml": "svg"}.get(subtype, subtype)


def _disposition(how: str, file_name: str) -> str:
    """Format the header (RFC 6266): an ASCII name for old clients, and the full name (RFC 8187)."""
    from urllib.parse import quote

    plain = "".join(c if " " <= c <= "~" and c not in '"\\' else "_" for c in file_name)
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"
