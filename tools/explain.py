"""Explain a URL: what a deployment reads in it, whether it is allowed, and what exists of the image.

The parser, the rules and the verification are those of the layer. Nothing is rendered or changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote_plus, urlsplit

from darkroom.aws.index import Index
from darkroom.aws.s3 import S3Bucket
from darkroom.aws.switches import LOAD_SHEDDING, parse_switch, switch_key
from darkroom.dialects.registry import DIALECTS
from darkroom.errors import DarkroomError, Expired, NoInference, PresetsOnly, SourceMissing, Unsigned
from darkroom.image_keys import DERIVATIVES, ObjectNames, derivatives_prefix, mezzanine_name
from darkroom.plan.canonical import canonical_path, parse_path
from darkroom.plan.model import Plan
from darkroom.plan.native_url import NativeRequest, parse_url
from darkroom.plan.options import OPTIONS_BY_NAME, OPTIONS_BY_SHORT
from darkroom.plan.presets import parse_option
from darkroom.plan.redaction import apply_forced_redaction, needs_findings
from darkroom.plan.variants import (
    MEZZANINE_SIDES_PX,
    UNSIGNED_SET,
    AccessMode,
    is_preset,
    list_variants,
    needs_signature,
)
from darkroom.services.live_settings import CURRENT, parse_document
from darkroom.services.serve.negative_cache import marker_key
from darkroom.settings import DEFAULTS, Settings
from darkroom.signing import parse_signing_keys, remove_signature, verify

from .deployment import Deployment, MissingOutput

KEY_NAMES = ("current", "previous")
MAX_ANSWERS = 5
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_FOLDED = frozenset({"dpr", "preset", "exp", "s", "meta", "f"})
"""Options that are part of the normal form under another name, or not at all on purpose."""

type Document = dict[str, Any]
type ReadLines = Callable[[str], Iterable[Mapping[str, Any]]]
"""Reads log events of the transform function that contain a text."""


class OtherDialect(ValueError):
    """The URL is one of another service."""


@dataclass(frozen=True)
class Source:
    """What an explanation reads. ``index`` is None in a stack without one. ``keys``: valid signing keys."""

    settings: Settings
    keys: tuple[str, ...]
    media: S3Bucket
    masters: S3Bucket
    names: ObjectNames
    index: Index | None
    inference: str
    is_load_shedding: bool
    read_lines: ReadLines
    now_s: float

    @classmethod
    def read(cls, deployment: Deployment, read_lines: ReadLines, now_s: float) -> Source:
        """Read the settings, the switch and the keys of a stack. Raises InvalidSettings and InvalidSecret."""
        media = deployment.bucket("MediaBucketName")
        document = media.read(CURRENT)
        masters, names = deployment.masters()
        try:
            index = Index(deployment.client("dynamodb"), deployment.output("IndexTableName"))
        except MissingOutput:
            index = None
        return cls(
            DEFAULTS if document is None else parse_document(document),
            parse_signing_keys(deployment.secret("SigningKeysArn")),
            media,
            masters,
            names,
            index,
            deployment.parameters.get("InferenceMode", "off"),
            parse_switch(media.read(switch_key(LOAD_SHEDDING))).is_on_at(now_s),
            read_lines,
            now_s,
        )


def target_of(url: str) -> str:
    """Return path and query of ``url`` as a browser sends them. Raises OtherDialect."""
    parts = urlsplit(url) if "://" in url else urlsplit("/" + url.removeprefix("/"))
    path = parts.path or "/"
    for dialect in DIALECTS:
        if any(path.startswith(f"{prefix}/") for prefix in (dialect.prefix, *dialect.further_prefixes)):
            raise OtherDialect(f"This is a URL of {dialect.name}. Only Darkroom's own URLs are explained.")
    return quote(path + (f"?{parts.query}" if parts.query else ""), safe=_PRINTABLE)


def explain(target: str, source: Source) -> Document:
    """Explain ``target``, a path with its query. ``refusal`` in the document is None if an image is served."""
    document: Document = {"target": target, "refusal": None}
    try:
        request = parse_url(target, source.settings.presets)
    except DarkroomError as error:
        return document | {"refusal": error.to_problem()}
    policy, signature = _policy(request, source), _signature(target, request, source)
    master = _master(request.plan.key, source)
    stored = [*_stored(request.plan, source, master["etag"] if master else "")]
    return document | {
        "refusal": _refusal(request, source, signature, is_stored=bool(stored), has_master=master is not None),
        "key": request.plan.key,
        "options": [*_options(target, request, source)],
        "canonical_request": request.path,
        "policy": policy,
        "signature": signature,
        "derivatives": stored,
        "refused_variants": _refused(request.plan.key, source),
        "mezzanines": [
            side_px for side_px in MEZZANINE_SIDES_PX if source.media.head(mezzanine_name(request.plan.key, side_px))
        ],
        "master": master,
        "index": _index(request.plan.key, source),
        "answers": _answers(request.plan, source),
    }


def _options(target: str, request: NativeRequest, source: Source) -> Iterator[Document]:
    """Describe the options of the URL, and those of its preset, by their effect on the normal form."""
    given = [pair.partition("=") for pair in target.partition("?")[2].split("&") if pair]
    rows = [(OPTIONS_BY_NAME[unquote_plus(name)].short, unquote_plus(text), "") for name, _, text in given]
    own = {short for short, _, _ in rows}
    for _, preset, _ in [row for row in rows if row[0] == "preset"]:
        rows += [(*one, preset) for one in source.settings.presets.options[preset].items() if one[0] not in own]
    kept = {word.partition("-")[0] for word in request.path.rpartition("/_/")[2].rpartition(".")[0].split("_")}
    for short, text, preset in rows:
        value = "" if short == "s" else OPTIONS_BY_SHORT[short].type.format(parse_option(short, text))
        yield {"option": short, "value": value, "preset": preset, "has_effect": short in kept | _FOLDED}


def _policy(request: NativeRequest, source: Source) -> Document:
    settings, plan = source.settings, request.plan
    return {
        "access_mode": settings.access_mode,
        "needs_signature": _needs_signature(plan, settings),
        "presets": sorted(settings.presets.options),
        "is_preset": is_preset(plan, lambda: settings.presets, settings.always_redact),
        "forced_redaction": settings.always_redact.for_key(plan.key),
        "needs_findings": needs_findings(apply_forced_redaction(plan, settings.always_redact)),
        "inference": source.inference,
        "metadata": request.metadata or settings.metadata,
        "stores_derivatives": settings.store_derivatives,
        "load_shedding": source.is_load_shedding,
    }


def _needs_signature(plan: Plan, settings: Settings) -> bool:
    return needs_signature(plan, AccessMode(settings.access_mode), lambda: settings.presets, settings.always_redact)


def _signature(target: str, request: NativeRequest, source: Source) -> Document:
    """Describe the signature, which is never part of the result: its kind, its key and the texts it may cover."""
    expires_s = request.expires_s
    text = request.path if expires_s is None else f"{request.path}?exp={expires_s}"
    found: Document = {"kind": "none", "key": "", "expires_at": None, "is_expired": False}
    if expires_s is not None:
        at = datetime.fromtimestamp(expires_s, UTC).isoformat()
        found |= {"expires_at": at, "is_expired": source.now_s >= expires_s}
    if request.signature:
        found["kind"] = "wrong"
    for name, key in zip(KEY_NAMES, source.keys, strict=False):
        try:
            is_literal = verify(request.path, request.signature, expires_s, [key], 0, target)
        except DarkroomError:
            continue
        found |= {"kind": "literal" if is_literal else "canonical", "key": name}
        break
    return found | {"literal_text": remove_signature(target), "canonical_text": text}


def _refusal(
    request: NativeRequest, source: Source, signature: Document, *, is_stored: bool, has_master: bool
) -> Document | None:
    """Return the problem with which edge or function refuse the request, or None.

    A wrong signature is refused only where the variant is not stored yet.
    """
    settings, plan = source.settings, request.plan
    forced = apply_forced_redaction(plan, settings.always_redact)
    error: DarkroomError | None = None
    if signature["is_expired"]:
        error = Expired()
    elif _needs_signature(plan, settings) and not request.signature:
        error = Unsigned(UNSIGNED_SET if settings.access_mode == AccessMode.GUARDED else "")
    elif _needs_signature(plan, settings) and signature["kind"] == "wrong":
        try:
            verify(request.path, request.signature, request.expires_s, source.keys, 0, signature["literal_text"])
        except DarkroomError as wrong:
            error = wrong
    elif is_stored:
        return None
    elif needs_findings(forced) and source.inference == "off":
        error = NoInference()
    elif not has_master:
        error = SourceMissing()
    elif source.is_load_shedding and not is_preset(forced, lambda: settings.presets, settings.always_redact):
        error = PresetsOnly()
    return error.to_problem() if error else None


def _stored(plan: Plan, source: Source, master_etag: str) -> Iterator[Document]:
    """Yield the stored derivatives that negotiation can choose for ``plan``."""
    variants = list_variants(plan, always=source.settings.always_redact)
    for page in source.media.list_pages(derivatives_prefix(plan.key)):
        for listed in page:
            try:
                found = parse_path("/" + listed.key.removeprefix(DERIVATIVES))
            except DarkroomError:
                continue
            head = source.media.head(listed.key) if replace(found, findings="", rights=False) in variants else None
            if head:
                etag = head.metadata.get("source-etag", "")
                yield {
                    "name": listed.key,
                    "content_type": head.headers.get("Content-Type", ""),
                    "bytes": head.size_bytes,
                    "modified_at": _iso(head.modified_s),
                    "is_of_master": etag == master_etag,
                    "effort": head.metadata.get("pace", ""),
                }


def _refused(key: str, source: Source) -> Document:
    """Return the recorded refusals of the source and of single variants."""
    body = source.media.read(marker_key(DERIVATIVES, key))
    if body is None:
        return {}
    found = json.loads(body)
    return {"source": found.get("source"), **found.get("variants", {})}


def _master(key: str, source: Source) -> Document | None:
    head = source.masters.head(source.names.name(key))
    if head is None:
        return None
    return {
        "uri": f"s3://{source.masters.bucket}/{head.key}",
        "etag": head.etag.strip('"'),
        "content_type": head.headers.get("Content-Type", ""),
        "bytes": head.size_bytes,
        "modified_at": _iso(head.modified_s),
        "version_id": head.version_id,
    }


def _index(key: str, source: Source) -> Document | None:
    record = source.index.get(key) if source.index else None
    if record is None:
        return None
    return {
        "state": record.state,
        "updated_at": record.updated_at,
        "image_id": record.image_id,
        "how": record.master.how,
        "refusal": record.refusal.reason if record.refusal else "",
        "trace_id": record.refusal.trace_id if record.refusal else "",
        "awaits_review": record.awaits_review,
    }


def _answers(plan: Plan, source: Source) -> list[Document]:
    """Return the last answers of the transform function for ``plan``, the newest first."""
    variants = list_variants(plan, always=source.settings.always_redact)
    found = []
    for event in source.read_lines(canonical_path(plan).rpartition(".")[0]):
        try:
            line = json.loads(event["message"])
            variant = parse_path(str(line["path"]))
        except (ValueError, KeyError, TypeError, DarkroomError):
            continue
        if line.get("message") == "answered" and replace(variant, findings="", rights=False) in variants:
            names = ("path", "status", "code", "ms", "stages_ms", "correlation_id", "xray_trace_id")
            found.append({"at": _iso(event["timestamp"] / 1000), **{name: line.get(name) for name in names}})
    return found[::-1][:MAX_ANSWERS]


def _iso(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="seconds")


def format_lines(document: Document) -> Iterator[str]:
    """Format an explanation for people."""
    yield f"request       {document['target']}"
    if "key" in document:
        yield from _format_details(document)
    problem = document["refusal"]
    yield (
        f"result        {problem['status']} {problem['code']}: {problem['detail']}"
        if problem
        else "result        served"
    )
    if problem and problem["code"] == "bad-signature" and document["derivatives"]:
        yield "  Derivatives that are stored are served without verification."


def _format_details(found: Document) -> Iterator[str]:
    yield f"key           {found['key']}"
    for option in found["options"]:
        notes = [f"from preset {option['preset']}"] * bool(option["preset"])
        notes += ["no effect"] * (not option["has_effect"])
        yield f"  {option['option']:<12}{option['value']}" + (f"  ({', '.join(notes)})" if notes else "")
    yield f"normal form   {found['canonical_request']}"
    policy, signature = found["policy"], found["signature"]
    needed = "needs a signature" if policy["needs_signature"] else "needs no signature"
    yield f"policy        access mode {policy['access_mode']}: {needed}"
    yield f"  presets     {', '.join(policy['presets']) or 'none'}"
    if policy["forced_redaction"]:
        yield f"  redacts     {policy['forced_redaction']}"
    if policy["needs_findings"]:
        yield f"  findings    inference {policy['inference']}"
    if policy["load_shedding"]:
        yield "  load shedding is on: only presets are rendered"
    yield f"  metadata    {policy['metadata']}; derivatives are {'' if policy['stores_derivatives'] else 'not '}stored"
    by = f", by the {signature['key']} key" if signature["key"] else ""
    ends = f", {'expired' if signature['is_expired'] else 'valid until'} {signature['expires_at']}"
    yield f"signature     {signature['kind']}{by}{ends if signature['expires_at'] else ''}"
    yield f"  literal     {signature['literal_text']}"
    yield f"  canonical   {signature['canonical_text']}"
    yield f"stored        {len(found['derivatives'])} derivatives of this request"
    for one in found["derivatives"]:
        of = "" if one["is_of_master"] else ", of an earlier master"
        yield f"  {one['name']}  {one['content_type']}, {one['bytes']:,} bytes, {one['modified_at']}{of}"
    for name, refusal in found["refused_variants"].items():
        if refusal:
            yield f"  refused     {name}: {refusal.get('code')}: {refusal.get('detail')}"
    master, index = found["master"], found["index"]
    yield (
        f"master        {master['uri']}  {master['content_type']}, {master['bytes']:,} bytes, {master['modified_at']}"
        if master
        else "master        none"
    )
    if found["mezzanines"]:
        yield f"  mezzanines  {', '.join(f'{side} px' for side in found['mezzanines'])}"
    if index:
        reason = f": {index['refusal']}" if index["refusal"] else ""
        yield f"  index       {index['state']}, {index['updated_at']}{reason}"
    yield f"trace         {len(found['answers'])} answers of the function"
    for one in found["answers"]:
        stages = ", ".join(f"{name} {ms}" for name, ms in (one["stages_ms"] or {}).items())
        what = f"{one['status']} {one['code'] or ''}".strip()
        yield f"  {one['at']}  {what}, {one['ms']} ms ({stages})  {one['path']}"
        yield f"    request {one['correlation_id'] or 'unknown'}, trace {one['xray_trace_id'] or 'unknown'}"
