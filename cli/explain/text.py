"""Format an explanation for people."""

from __future__ import annotations

from collections.abc import Iterator

from darkroom.plan.variants import AUTO, PRESETS

from .source import Document


def format_lines(document: Document) -> Iterator[str]:
    """Format an explanation for people."""
    yield f"request       {document['target']}"
    if "experiment" in document:
        yield from _format_experiment(document["experiment"])
    if "key" in document:
        yield from _format_details(document)
    problem = document["refusal"]
    yield f"result        {_format_outcome(document)}" + (f": {problem['detail']}" if problem else "")
    variants = document.get("variants", ())
    if len({_format_outcome(one) for one in variants}) > 1:
        yield from (f"  {one['name']}  {_format_outcome(one)}" for one in variants)
    if fallback := next((one["fallback"] for one in variants if one["fallback"]), ""):
        yield f"  fallback    the image {fallback} is shown, with this status"
    if "key" in document and document["signature"]["kind"] == "wrong" and document["derivatives"]:
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
    stores = {False: "not stored", PRESETS: "stored for presets", AUTO: "stored for presets, others by chance"}
    stored = stores.get(policy["stores_derivatives"], "stored")
    yield f"  metadata    {policy['metadata']}; derivatives are {stored}"
    by = f", by the {signature['key']} key" if signature["key"] else ""
    ends = f", {'expired' if signature['is_expired'] else 'valid until'} {signature['expires_at']}"
    yield f"signature     {signature['kind']}{by}{ends if signature['expires_at'] else ''}"
    yield f"  literal     {signature['literal_text']}"
    yield f"  canonical   {signature['canonical_text']}"
    yield f"stored        {len(found['derivatives'])} derivatives of this request"
    for one in found["derivatives"]:
        of = "" if one["is_of_master"] else ", of an earlier master"
        yield f"  {one['name']}  {one['content_type']}, {one['bytes']:,} bytes, {one['modified_at']}{of}"
    outdated = "" if found["refusals_apply"] else " (of an earlier master or other limits)"
    for name, refusal in found["refused_variants"].items():
        if refusal:
            yield f"  refused     {name}: {refusal.get('code')}: {refusal.get('detail')}{outdated}"
    yield from _format_master(found["source"], found["master"])
    index = found["index"]
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
