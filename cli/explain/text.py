"""Format an explanation for people."""

from __future__ import annotations

from collections.abc import Iterator

from cli.terminal import Line, Style
from darkroom.plan.variants import AUTO, PRESETS

from .source import Document


def format_lines(document: Document) -> Iterator[str]:
    """Format an explanation for people."""
    yield f"request       {document['target']}"
    if "experiment" in document:
        yield from _format_experiment(document["experiment"])
    if "dialect" in document:
        yield f"dialect       {document['dialect']}"
    if "key" in document:
        yield from _format_details(document)
    yield from _format_result(document)


def _format_result(document: Document) -> Iterator[str]:
    problem = document["refusal"]
    style = Style.PROBLEM if problem else Style.GOOD
    detail = f": {problem['detail']}" if problem else ""
    yield Line("result        ", (f"{_format_outcome(document)}{detail}", style))
    variants = document.get("variants", ())
    if len({_format_outcome(one) for one in variants}) > 1:
        yield from (f"  {one['name']}  {_format_outcome(one)}" for one in variants)
    if fallback := next((one["fallback"] for one in variants if one["fallback"]), ""):
        yield f"  fallback    the image {fallback} is shown, with this status"
    if "key" not in document:
        return
    if document["index"] and document["index"]["notice"]:
        yield f"  upload      {document['index']['notice']}"
    cached = document["caching"]["cached_error"]
    if cached and not problem:
        yield f"  cached      the CDN may return {cached['status']} {cached['code']} until {cached['until']}"
    is_unverified = document["derivatives"] and not document.get("policy", {}).get("is_private")
    if document.get("signature", {}).get("kind") == "wrong" and is_unverified:
        yield "  Derivatives that are stored are served without verification."


def _format_outcome(answered: Document) -> str:
    problem = answered["refusal"]
    return f"{problem['status']} {problem['code']}" if problem else "served"


def _format_experiment(found: Document) -> Iterator[str]:
    yield f"experiment    {found['name']}: the edge function chooses a preset by {found['visitor']}"
    for one in found["variants"]:
        yield f"  {one['target']}  {'stopped' if one['is_stopped'] else _format_outcome(one)}"


def _format_details(found: Document) -> Iterator[str]:
    yield f"key           {found['key']}"
    for option in found.get("options", ()):
        notes = [f"from preset {option['preset']}"] * bool(option["preset"])
        notes += ["no effect"] * (not option["has_effect"])
        yield f"  {option['option']:<12}{option['value']}" + (f"  ({', '.join(notes)})" if notes else "")
    yield f"normal form   {found['canonical_request']}"
    if "policy" in found:
        yield from _format_policy(found["policy"])
        yield from _format_signature(found["signature"])
    yield from _format_image(found["image"], found["findings"])
    yield from _format_stored(found)
    yield from _format_caching(found)
    yield f"trace         {len(found['answers'])} answers of the function"
    for one in found["answers"]:
        stages = ", ".join(f"{name} {ms}" for name, ms in (one["stages_ms"] or {}).items())
        what = f"{one['status']} {one['code'] or ''}".strip()
        yield f"  {one['at']}  {what}, {one['ms']} ms ({stages})  {one['path']}"
        yield f"    request {one['correlation_id'] or 'unknown'}, trace {one['xray_trace_id'] or 'unknown'}"


def _format_policy(policy: Document) -> Iterator[str]:
    needed = "needs a signature" if policy["needs_signature"] else "needs no signature"
    private = ", private image" * policy["is_private"]
    needed += " with an expiry (exp)" * policy["is_private"]
    yield f"policy        access mode {policy['access_mode']}{private}: {needed}"
    yield f"  presets     {', '.join(policy['presets']) or 'none'}"
    if policy["forced_redaction"]:
        yield f"  redacts     {policy['forced_redaction']}"
    if policy["forced_watermark"]:
        yield f"  watermark   {policy['forced_watermark']}"
    if policy["needs_findings"]:
        yield f"  findings    inference {policy['inference']}"
    if policy["load_shedding"]:
        yield "  load shedding is on: only presets are rendered"
    stores = {False: "not stored", PRESETS: "stored for presets", AUTO: "stored for presets, others by chance"}
    stored = stores.get(policy["stores_derivatives"], "stored")
    yield f"  metadata    {policy['metadata']}; derivatives are {stored}"


def _format_signature(signature: Document) -> Iterator[str]:
    by = f", by the {signature['key']} key" if signature["key"] else ""
    ends = f", {'expired' if signature['is_expired'] else 'valid until'} {signature['expires_at']}"
    yield f"signature     {signature['kind']}{by}{ends if signature['expires_at'] else ''}"
    yield f"  literal     {signature['literal_text']}"
    yield f"  canonical   {signature['canonical_text']}"


def _format_image(image: Document, findings: Document | None) -> Iterator[str]:
    if size := image["size"]:
        of = image["of"]
        yield f"size          {size['width']} x {size['height']} px of {of['width']} x {of['height']}: {size['why']}"
    elif image["formats"]:
        yield "size          unknown: ingest has not examined this image"
    for one in image["formats"]:
        quality = "lossless" if one["quality"] is None else f"quality {one['quality']} ({one['quality_by']})"
        notes = [one["why"], *([f"{one['if_drawing']} if it is a drawing"] if one["if_drawing"] else ())]
        notes += [f"a still: {one['still_because']}"] if one["still_because"] else []
        yield f"format        {one['format']}, {quality}: {'; '.join(notes)}"
    if crop := image["crop"]:
        yield f"crop          fit=cover ({crop['fit_by']}) keeps {crop['kept_percent']} % of the area"
        yield f"  gravity     {crop['gravity']} ({crop['gravity_by']}): {crop['place']}"
    if findings:
        counts = f"{findings['faces']} faces, {findings['lines']} lines of text, {findings['objects']} objects"
        yield f"found         {counts if findings['is_analysed'] else 'nothing yet: the image is not analysed'}"
        yield from (f"  error       {task}: {error}" for task, error in findings["errors"].items())


def _format_stored(found: Document) -> Iterator[str]:
    yield f"stored        {len(found['derivatives'])} derivatives of this request"
    for one in found["derivatives"]:
        of = "" if one["is_of_master"] else ", of an earlier master"
        yield f"  {one['name']}  {one['content_type']}, {one['bytes']:,} bytes, {one['modified_at']}{of}"
    outdated = "" if found["refusals_apply"] else " (of an earlier master or other limits)"
    for name, refusal in found["refused_variants"].items():
        if refusal:
            yield f"  refused     {name}: {refusal.get('code')}: {refusal.get('detail')}{outdated}"
    yield from _format_master(found["source"], found["master"])
    if found["mezzanines"]:
        yield f"  mezzanines  {', '.join(f'{side} px' for side in found['mezzanines'])}"
    if index := found["index"]:
        reason = f": {index['refusal']}" if index["refusal"] else ""
        yield f"  index       {index['state']}, {index['updated_at']}{reason}"


def _format_caching(found: Document) -> Iterator[str]:
    caching = found["caching"]
    if "max_age_s" in found and not caching["kept_by"]:
        yield f"caches        browsers and the CDN at most {found['max_age_s']} s; no purge reaches them"
        return
    yield f"caches        {caching['cache_control']}"
    if caching["kept_by"]:
        yield f"  kept by     {caching['kept_by']}"
    elif found["master"] and found["master"]["modified_at"]:
        yield (
            f"  browsers    keep a copy from before {found['master']['modified_at']} for up to "
            f"{caching['browser_max_age_s']} s"
        )
    purges = caching["purges"]
    if purges["error"]:
        yield f"  purges      unknown: {purges['error']}"
    elif purges["waiting"] or purges["invalidations"]:
        ids = ", ".join(purges["invalidations"]) or "none of this image"
        yield f"  purges      {purges['waiting']} wait; invalidations in progress: {ids}"
    else:
        yield "  purges      none in progress"


def _format_master(place: Document, master: Document | None) -> Iterator[str]:
    if master:
        at = f", {master['modified_at']}" if master["modified_at"] else ""
        yield f"master        {master['uri']}  {master['content_type']}, {master['bytes']:,} bytes{at}"
    elif place["error"]:
        yield f"master        {place['uri']} could not be read from this machine: {place['error']}"
    else:
        yield f"master        none: {place['uri']}"
    if place["key_prefix"]:
        yield f"  source      {place['key_prefix']} of the setting sources"
