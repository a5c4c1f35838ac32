"""Explain a URL: what a deployment reads in it, whether it is allowed, and what exists of the image.

The parser is that of the layer, and so is the transform service, which answers without rendering
(:mod:`.dry_render`). Nothing is changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote, unquote_plus, urlsplit

from darkroom.errors import DarkroomError
from darkroom.image_keys import DERIVATIVES, derivatives_prefix, encode_key, mezzanine_name
from darkroom.overlays.plugin import OVERLAYS
from darkroom.plan.canonical import SEPARATOR, canonical_path, parse_path
from darkroom.plan.experiments import Experiment
from darkroom.plan.forced_options import is_unmarked
from darkroom.plan.model import Plan
from darkroom.plan.native_url import NativeRequest, parse_url
from darkroom.plan.option_plugins import register_plugin
from darkroom.plan.options import OPTIONS_BY_NAME, OPTIONS_BY_SHORT
from darkroom.plan.presets import parse_option
from darkroom.plan.redaction import needs_findings
from darkroom.plan.variants import MEZZANINE_SIDES_PX, is_preset, list_variants
from darkroom.services.caching import SOURCE_ETAG, source_version
from darkroom.services.serve.large_copies import limit_max_age
from darkroom.services.serve.negative_cache import RefusalMarker, marker_key
from darkroom.services.sidecars import read_sidecar
from darkroom.settings import Settings
from darkroom.signing import remove_signature, verify
from darkroom_dialects.registry import Dialect
from darkroom_pipeline.aws.record import CLAIMED, HELD, REFUSED, REMOVED, Record
from darkroom_pipeline.experiments.runs import RunStore

from .dialects import find_dialect, list_dialect_outcomes, parse_in_dialect
from .dry_render import ReadOnlyBucket
from .freshness import describe_link_caching, describe_uncached, find_cached_error
from .image import Chooser, describe_image
from .masters import find_master, format_time
from .outcomes import find_edge_refusal, list_outcomes, requires_signature
from .source import Document, Source

register_plugin(OVERLAYS)

_NOTICES = {CLAIMED: "an upload is being processed", REMOVED: "the upload was deleted"}
KEY_NAMES = ("current", "previous")
MAX_ANSWERS = 5
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_FOLDED = frozenset({"dpr", "preset", "exp", "s", "meta", "f"})
"""Options that are part of the normal form under another name, or not at all on purpose."""


def target_of(url: str) -> str:
    """Return path and query of ``url`` as a browser sends them."""
    parts = urlsplit(url) if "://" in url else urlsplit("/" + url.removeprefix("/"))
    path = parts.path or "/"
    return quote(path + (f"?{parts.query}" if parts.query else ""), safe=_PRINTABLE)


def explain(target: str, source: Source) -> Document:
    """Explain ``target``, a path with its query. ``refusal`` in the document is None if an image is served.

    Raises UnexplainedDialect for a URL of IIIF.
    """
    if dialect := find_dialect(target.partition("?")[0]):
        return _explain_dialect(dialect, target, source)
    experiment = _find_experiment(target, source.settings)
    return _explain_experiment(target, experiment, source) if experiment else _explain_request(target, source)


def _find_experiment(target: str, settings: Settings) -> Experiment | None:
    """Return the experiment that ``target`` names: the edge function replaces it by a preset."""
    pairs = target.partition("?")[2].split("&")
    return next((one for one in settings.experiments if f"exp={one.name}" in pairs), None)


def _explain_experiment(target: str, experiment: Experiment, source: Source) -> Document:
    """Explain the request for each variant. The monitor has ended some; visitors of these get the other ones."""
    path, _, query = target.partition("?")
    stopped = RunStore(source.media).read_decisions(experiment).stopped
    unlogged = replace(source, read_lines=lambda _: ())
    variants = []
    for preset in experiment.presets:
        url = f"{path}?{query.replace(f'exp={experiment.name}', f'preset={preset}', 1)}"
        refusal = _explain_request(url, unlogged)["refusal"]
        variants.append({"preset": preset, "target": url, "is_stopped": preset in stopped, "refusal": refusal})
    return {
        "target": target,
        "refusal": next((one["refusal"] for one in variants if one["refusal"] and not one["is_stopped"]), None),
        "experiment": {"name": experiment.name, "visitor": experiment.visitor, "variants": variants},
    }


def _explain_request(target: str, source: Source) -> Document:
    document: Document = {"target": target, "refusal": None}
    try:
        request = parse_url(target, source.settings.presets)
    except DarkroomError as error:
        return document | {"refusal": error.to_problem()}
    options = [*_options(target, request, source)]
    policy, signature = _policy(request, source), _signature(target, request, source)
    state = _describe_state(request.plan, _find_chooser(options), source)
    refused = find_edge_refusal(request, source, signature)
    if is_unmarked(request.plan):
        state["caching"] |= describe_uncached()
    elif request.expires_s is not None:
        state["caching"] |= _describe_link(request.plan.key, request.expires_s, source)
    stored = {one["name"] for one in state["derivatives"]}
    variants = [*list_outcomes(target, request, source, stored, refused)]
    found = {"options": options, "canonical_request": request.path, "policy": policy, "signature": signature}
    return document | found | state | _conclude(variants, state)


def _describe_link(key: str, expires_s: int, source: Source) -> Document:
    is_private = key.startswith(source.settings.private_prefixes)
    if is_private and not source.edge_verifies:
        return describe_uncached()
    return describe_link_caching(source.caching.cache_control(key), expires_s, source.now_s, is_private=is_private)


def _explain_dialect(dialect: Dialect, target: str, source: Source) -> Document:
    document: Document = {"target": target, "refusal": None, "dialect": dialect.name}
    try:
        parsed = parse_in_dialect(dialect, target, source)
    except DarkroomError as error:
        return document | {"refusal": error.to_problem()}
    state = _describe_state(parsed.plan, lambda _: "the URL", source)
    stored = {one["name"] for one in state["derivatives"]}
    variants = [*list_dialect_outcomes(dialect, parsed, target, source, stored)]
    age_s = source.settings.dialect_max_age_s
    if parsed.plan.key.startswith(source.settings.private_prefixes):
        state["caching"] |= describe_uncached()
    else:
        state["caching"]["cache_control"] = limit_max_age(state["caching"]["cache_control"], age_s)
    found = {"canonical_request": canonical_path(parsed.plan), "max_age_s": age_s}
    return document | found | state | _conclude(variants, state)


def _conclude(variants: list[Document], state: Document) -> Document:
    """Return the variants and the refusal, which is that of a crop outside of the image where nothing else refuses."""
    refusal = next((one["refusal"] for one in variants if one["refusal"]), None)
    return {"variants": variants, "refusal": refusal or state["image"]["error"]}


def _describe_state(plan: Plan, chosen_by: Chooser, source: Source) -> Document:
    """Describe what exists of the image of ``plan``, and what is made of it."""
    key, always = plan.key, source.settings.forced
    place, master = find_master(key, source)
    record = source.index.get(key) if source.index else None
    answers = _answers(plan, source)
    forced = always.apply(plan)
    facts = record.facts if record and master else {}
    stored = [*_stored(plan, source, master)]
    is_made_at_ingest = is_preset(plan, lambda: source.settings.presets, always)
    return {
        "key": key,
        "image": describe_image(forced, facts, chosen_by, source.settings.default_quality),
        "findings": _count_findings(forced, source),
        "derivatives": stored,
        **_recorded(key, source, master),
        "mezzanines": [side_px for side_px in MEZZANINE_SIDES_PX if source.media.head(mezzanine_name(key, side_px))],
        "source": place,
        "master": master,
        "index": _index(record) if record else None,
        "answers": answers,
        "caching": {
            "cache_control": source.caching.cache_control(key),
            "browser_max_age_s": source.caching.browser_max_age_s,
            "kept_by": "",
            "cached_error": find_cached_error(master, answers, () if is_made_at_ingest else stored, source.now_s),
            "purges": source.read_purges(key),
        },
    }


def _find_chooser(options: list[Document]) -> Chooser:
    """Return what says who chose an option."""
    presets = {one["option"]: one["preset"] for one in options}

    def choose(short: str) -> str:
        return f"preset {presets[short]}" if presets.get(short) else "the URL" if short in presets else "default"

    return choose


def _count_findings(plan: Plan, source: Source) -> Document | None:
    """Count the faces, lines of text and objects that are known of an image; None if ``plan`` needs none."""
    if not needs_findings(plan):
        return None
    found = read_sidecar(ReadOnlyBucket(source.media), source.read_generation(), plan.key).findings
    if found is None:
        return {"is_analysed": False, "faces": 0, "lines": 0, "objects": 0, "errors": {}}
    each = found.found.values()
    return {
        "is_analysed": True,
        "faces": sum(len(one.faces) for one in each),
        "lines": sum(len(one.lines) for one in each),
        "objects": sum(len(one.objects) for one in each),
        "errors": {task: one.error for task, one in found.found.items() if one.error},
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
    forced = settings.forced.find(plan.key)
    return {
        "access_mode": settings.access_mode,
        "needs_signature": requires_signature(plan, settings),
        "is_private": plan.key.startswith(settings.private_prefixes),
        "presets": sorted(settings.presets.options),
        "is_preset": is_preset(plan, lambda: settings.presets, settings.forced),
        "forced_redaction": forced.redact,
        "forced_watermark": forced.watermark.name if forced.watermark else "",
        "needs_findings": needs_findings(forced.apply(plan)),
        "inference": source.inference,
        "metadata": request.metadata or settings.metadata,
        "stores_derivatives": settings.store_derivatives,
        "load_shedding": source.is_load_shedding,
    }


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


def _stored(plan: Plan, source: Source, master: Document | None) -> Iterator[Document]:
    """Yield the stored derivatives that negotiation can choose for ``plan``."""
    variants = list_variants(plan, always=source.settings.forced)
    for page in source.media.list_pages(derivatives_prefix(plan.key)):
        for listed in page:
            try:
                found = parse_path("/" + listed.key.removeprefix(DERIVATIVES))
            except DarkroomError:
                continue
            head = source.media.head(listed.key) if replace(found, findings="", rights=False) in variants else None
            if head:
                version = source_version(found, master["etag"], master["rights"]) if master else ""
                yield {
                    "name": listed.key,
                    "content_type": head.headers.get("Content-Type", ""),
                    "bytes": head.size_bytes,
                    "modified_at": format_time(head.modified_s),
                    "is_of_master": head.metadata.get(SOURCE_ETAG) == version,
                    "effort": head.metadata.get("pace", ""),
                }


def _recorded(key: str, source: Source, master: Document | None) -> Document:
    """Return the recorded refusals of the source and of single variants, and whether the function still uses them."""
    body = source.media.read(marker_key(DERIVATIVES, key))
    if body is None:
        return {"refused_variants": {}, "refusals_apply": False}
    found = json.loads(body)
    etag = f'"{master["etag"]}"' if master else ""
    return {
        "refused_variants": {"source": found.get("source"), **found.get("variants", {})},
        "refusals_apply": RefusalMarker(document=found).applies_to(etag, source.limits),
    }


def _index(record: Record) -> Document:
    return {
        "state": record.state,
        "updated_at": record.updated_at,
        "image_id": record.image_id,
        "how": record.master.how,
        "refusal": record.refusal.reason if record.refusal else "",
        "refusal_code": record.refusal.code if record.refusal else "",
        "trace_id": record.refusal.trace_id if record.refusal else "",
        "awaits_review": record.awaits_review,
        "notice": _explain_upload(record),
    }


def _explain_upload(record: Record) -> str:
    """Return why the newest upload of a key is not what is served, or an empty text."""
    if record.state == REFUSED:
        return f"the newest upload was refused: {record.refusal.code}: {record.refusal.reason}"
    if record.state == HELD:
        waits = "a reviewer decides (darkroom review list)" if record.held.flagged else "its analysis decides"
        return f"the newest upload is held by moderation: {waits}"
    return _NOTICES.get(record.state, "")


def _answers(plan: Plan, source: Source) -> list[Document]:
    """Return the last answers of the transform function for variants of ``plan``, the newest first."""
    variants = list_variants(plan, always=source.settings.forced)
    found = []
    for event in source.read_lines(f"/{encode_key(plan.key)}{SEPARATOR}"):
        try:
            line = json.loads(event["message"])
            variant = parse_path(str(line["path"]))
        except (ValueError, KeyError, TypeError, DarkroomError):
            continue
        if line.get("message") == "answered" and replace(variant, findings="", rights=False) in variants:
            names = ("path", "status", "code", "ms", "stages_ms", "correlation_id", "xray_trace_id")
            found.append({"at": format_time(event["timestamp"] / 1000), **{name: line.get(name) for name in names}})
    return found[::-1][:MAX_ANSWERS]
