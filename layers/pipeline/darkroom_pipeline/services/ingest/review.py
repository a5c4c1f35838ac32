"""Decisions about images that no attempt is working on: verdicts of a model, and releases by an operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from darkroom.aws.telemetry import log
from darkroom.errors import Busy, DarkroomError, ObjectChanged
from darkroom.plan.model import Plan

from ...aws.audit import OVERRIDE, AuditLog, hash_key
from ...aws.findings_store import Verdict
from ...aws.record import HELD, READY, REFUSED, MasterRef, Record, Refusal
from ...aws.s3 import ObjectHead
from .admit import ingest_upload
from .claims import SEQUENCER, SHA256, EventAttempt, Lease, Superseded
from .context import IngestContext, IngestOutcome
from .events import EventKind, IngestEvent
from .examine import Rendition
from .finish import announce, finish, publish_event
from .publish import (
    choose_presets,
    claim,
    describe_held_master,
    hold_master,
    put_presets,
    release_master,
    unpublish,
)
from .stores import StoredMaster, render_from_master


def carry_out_decision(context: IngestContext, event: IngestEvent, known: Record) -> IngestOutcome:
    """Carry out ``event``, a verdict or an operator's decision; ``known`` is done. Raises Busy if it has to wait."""
    announce(context, known)  # its worker may have died before
    if event.kind in (EventKind.RELEASE, EventKind.CONFIRM):
        return _override(context, event, known)
    verdict = context.moderation.verdicts.get(known.key)
    if verdict is not None and _flags_served_image(context, verdict, known):
        return _withdraw(context, known)
    return _apply_verdict(context, verdict, known) if known.state == HELD else IngestOutcome.DROPPED


def _override(context: IngestContext, event: IngestEvent, known: Record) -> IngestOutcome:
    """Carry out an operator's decision about a held upload. One that names bytes counts for these bytes only.

    A decision that another one replaced is dropped, in whatever order the messages arrive.
    """
    held = known.held
    if known.state != HELD or event.sha256 not in ("", held.sha256):
        return IngestOutcome.DROPPED
    if event.kind is EventKind.CONFIRM and held.reviewed:
        return IngestOutcome.DROPPED
    if context.moderation.is_superseded(event):
        log("WARNING", "decision superseded", key=known.key, decision=event.kind)
        return IngestOutcome.DROPPED
    # Audited before it is done: afterwards, a repeat of the message would not come here. The log never names a key.
    facts = {"decision": event.kind, "flagged": held.flagged, "sha256": held.sha256}
    AuditLog(context.audit_bucket).write(OVERRIDE, hash_key(known.key), event.by or "a person", **facts)
    if event.kind is EventKind.CONFIRM:
        return _confirm(context, known)
    return _release(context, known, by_operator=True)


def _confirm(context: IngestContext, known: Record) -> IngestOutcome:
    """Flag the held upload for good, and remove it from the review queue."""
    with _start_attempt(context, known) as attempt:
        own = context.claims.get_own_record(claim(context, attempt))
        held = replace(own.held, flagged=True, reviewed=True)
        finish(context, replace(own, state=HELD, held=held), silent=own.held.flagged)
    return IngestOutcome.CONFIRMED


def _apply_verdict(context: IngestContext, verdict: Verdict | None, known: Record) -> IngestOutcome:
    """Release or flag the held upload. A verdict after an operator's decision changes nothing."""
    held = known.held
    if held.reviewed:
        return IngestOutcome.DROPPED
    if verdict is None or verdict.sha256_of != held.sha256:
        publish_event(context, known)  # the request for a verdict may be lost
        return IngestOutcome.DROPPED
    if not verdict.flagged:
        return _release(context, known, by_operator=False)
    return IngestOutcome.DROPPED if held.flagged else _flag(context, known)


def _flags_served_image(context: IngestContext, verdict: Verdict, known: Record) -> bool:
    """Whether a model flags what is served. One that could not look again says nothing against it."""
    if not (context.moderation.blocks and verdict.flagged and known.master) or known.released or verdict.error:
        return False
    return verdict.sha256_of == known.sha256


def _flag(context: IngestContext, known: Record) -> IngestOutcome:
    with _start_attempt(context, known) as attempt:
        own = context.claims.get_own_record(claim(context, attempt))
        finish(context, replace(own, state=HELD, held=replace(own.held, flagged=True)))
    return IngestOutcome.HELD


def _release(context: IngestContext, known: Record, *, by_operator: bool) -> IngestOutcome:
    with _start_attempt(context, known) as attempt:
        lease = claim(context, attempt)
        own = context.claims.get_own_record(lease)
        if _publish_held(context, lease, own, by_operator=by_operator):
            return IngestOutcome.RELEASED
        log("ERROR", "held master missing", key=known.key)
        outcome = ingest_upload(context, attempt, own)
    if by_operator and outcome is IngestOutcome.HELD:
        raise Busy(retry_in_s=1.0, detail=f"{known.key} is held again")
    return outcome


def _publish_held(context: IngestContext, lease: Lease, own: Record, *, by_operator: bool) -> bool:
    """Serve the held upload of ``own``; return False if its master does not exist."""
    held = own.held
    with context.observer.step("release"):
        master = release_master(context, lease, held)
    if master is None:
        return False
    names = render_presets(context, lease, master)
    context.held_masters.remove(lease)
    record = lease.build_ready_record(
        held.sha256,
        master.version_id,
        facts=held.facts,
        provenance=held.provenance,
        released=by_operator,
        master=master,
        derivatives=names,
    )
    finish(context, record)
    return True


def render_presets(context: IngestContext, lease: Lease, master: MasterRef) -> tuple[str, ...]:
    """Render presets from the stored master; return their names, none if it cannot be rendered.

    Raises Superseded if the master was replaced.
    """
    plans, watermarks = choose_presets(context, lease.key)
    stored = context.claims.head_master(lease.key)
    if stored is None or not (plans or context.has_mezzanines(lease.key)):
        return ()
    try:
        images = _render_stored(context, lease.key, stored, plans, watermarks)
        with context.observer.step("presets"):
            return put_presets(context, lease, StoredMaster(master, {}), images, stored.metadata.get(SHA256, ""))
    except DarkroomError as error:
        if error.status >= 500 or error.retryable:
            raise
        log("WARNING", "presets not rendered: they are rendered on request", key=lease.key, code=error.code)
        return ()


def _render_stored(
    context: IngestContext, key: str, master: ObjectHead, plans: Sequence[Plan], watermarks: Mapping[str, bytes]
) -> list[Rendition]:
    """Render ``plans`` from the master that this attempt stored; raises Superseded if it was replaced."""
    try:
        return render_from_master(
            context.masters.bucket,
            context.examiner,
            master,
            plans,
            watermarks,
            mezzanines=context.has_mezzanines(key),
        )
    except ObjectChanged as error:
        raise Superseded(wrote=True) from error


def _withdraw(context: IngestContext, known: Record) -> IngestOutcome:
    """Hold a flagged image that is served, or delete it if a newer upload is held already."""
    with _start_attempt(context, known) as attempt:
        lease = claim(context, attempt)
        own = context.claims.get_own_record(lease)
        with context.observer.step("hold"):
            held = hold_master(context, lease, own) if known.state != HELD else own.held
            bare = unpublish(context, lease, own)
        if held.sha256 == own.sha256:
            held = replace(held, flagged=True)
        version_id = held.master.version_id
        finish(context, replace(bare, state=HELD, version_id=version_id, held=held, refusal=Refusal()))
    return IngestOutcome.HELD


def recover(context: IngestContext, attempt: EventAttempt, known: Record) -> IngestOutcome | None:
    """Complete what a dead worker started, from masters alone: the upload no longer exists. None if there is none."""
    lease = claim(context, attempt)
    own = context.claims.get_own_record(lease)
    served = _read_metadata(context.claims.head_master(known.key)).get(SEQUENCER, "")
    waiting = _read_metadata(context.held_masters.head(known.key))
    if own.held and served == own.sequencer:
        verdict = context.moderation.get_verdict(known.key, own.held.sha256)
        _publish_held(context, lease, own, by_operator=verdict is None or verdict.flagged)
        return IngestOutcome.RELEASED
    if own.held and waiting:
        finish(context, replace(own, state=HELD))
        return IngestOutcome.HELD
    if own.master and served == own.master.sequencer:
        finish(context, replace(own, state=REFUSED if own.refusal else READY))
        return IngestOutcome.READY
    if own.sha256 and waiting.get(SHA256) == own.sha256:
        held = describe_held_master(context, lease, own)
        bare = unpublish(context, lease, own)
        finish(context, replace(bare, state=HELD, held=held, refusal=Refusal()))
        return IngestOutcome.HELD
    return None


def _start_attempt(context: IngestContext, known: Record) -> EventAttempt:
    """Start an attempt that replaces the result of the last event."""
    return EventAttempt(context.claims, known.key, known.sequencer, replaces_token=known.token)


def _read_metadata(head: ObjectHead | None) -> Mapping[str, str]:
    return head.metadata if head is not None else {}
