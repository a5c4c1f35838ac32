"""A verdict, or a person, says what becomes of a picture: what waited is served, what was served is taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...aws.audit import OVERRIDE, hash_key
from ...aws.record import HELD, READY, REFUSED, Record
from ...aws.s3 import ObjectHead
from ...aws.telemetry import Observer, log
from ...aws.verdicts import Verdict
from ...errors import Busy, DarkroomError, ObjectChanged
from ...imaging.rendered_image import RenderedImage
from ...plan.model import Plan
from .claims import SEQUENCER, SHA256, Attempt, Claims, Lease, Superseded
from .ending import Ending, IngestOutcome
from .events import EventKind, IngestEvent
from .examine import UploadExaminer
from .intake import Intake
from .moderation import Moderation
from .moving import Moving
from .prints import Prints
from .publish import Publisher
from .reprints import Reprints


@dataclass(frozen=True)
class Moderating:
    """Carries out what was decided about a picture that nobody works on."""

    intake: Intake

    def carry_out(self, change: IngestEvent, known: Record) -> IngestOutcome:
        """Do as ``change``, a verdict or a person's word, says; ``known`` is done. Raises Busy if it has to wait."""
        self._ending.announce(known)  # whoever wrote it may have died then
        if change.kind in (EventKind.RELEASE, EventKind.CONFIRM):
            return self._overrule(change, known)
        verdict = self._moderation.verdicts.get(known.key)
        if verdict is not None and self._flags_what_is_served(verdict, known):
            return self._take_back(known)
        return self._judge(verdict, known) if known.state == HELD else IngestOutcome.DROPPED

    def _overrule(self, change: IngestEvent, known: Record) -> IngestOutcome:
        """What a person says of what is held. It counts for the bytes that he saw, if it names them."""
        if known.state != HELD or change.sha256 not in ("", known.held["sha256"]):
            return IngestOutcome.DROPPED
        if change.kind is EventKind.CONFIRM and known.held.get("reviewed"):
            return IngestOutcome.DROPPED
        self._write_down(change, known)
        return self._release(known, by_a_person=True) if change.kind is EventKind.RELEASE else self._confirm(known)

    def _write_down(self, change: IngestEvent, known: Record) -> None:
        """Before it is done: after it, a repeat of the message would not come here. The log never names a key."""
        facts = {"decision": change.kind, "flagged": bool(known.held["flagged"]), "sha256": known.held["sha256"]}
        self.intake.audit.write(OVERRIDE, hash_key(known.key), change.by or "a person", **facts)

    def _confirm(self, known: Record) -> IngestOutcome:
        """Flagged, whatever the model says from now on, and out of the queue of those that wait for a person."""
        with self._attempt(known) as attempt:
            own = self._claims.own(self._ending.claimed(attempt))
            confirmed = {**own.held, "flagged": True, "reviewed": True}
            told = bool(own.held["flagged"])
            self._ending.settle(replace(own, state=HELD, held=confirmed), silently=told)
        return IngestOutcome.CONFIRMED

    def _judge(self, verdict: Verdict | None, known: Record) -> IngestOutcome:
        """What becomes of what is held. Where a person has spoken, a model's later word changes nothing."""
        if known.held.get("reviewed"):
            return IngestOutcome.DROPPED
        if verdict is None or verdict.sha256_of != known.held["sha256"]:
            self._ending.tell(known)  # whoever should have judged it may not have heard
            return IngestOutcome.DROPPED
        if not verdict.flagged:
            return self._release(known, by_a_person=False)
        return IngestOutcome.DROPPED if known.held["flagged"] else self._keep_flagged(known)

    def _flags_what_is_served(self, verdict: Verdict, known: Record) -> bool:
        if not (self._moderation.blocks and verdict.flagged and known.master) or known.released:
            return False
        return verdict.sha256_of == known.sha256

    def _keep_flagged(self, known: Record) -> IngestOutcome:
        with self._attempt(known) as attempt:
            own = self._claims.own(self._ending.claimed(attempt))
            self._ending.settle(replace(own, state=HELD, held={**own.held, "flagged": True}))
        return IngestOutcome.HELD

    def _release(self, known: Record, *, by_a_person: bool) -> IngestOutcome:
        with self._attempt(known) as attempt:
            hold = self._ending.claimed(attempt)
            own = self._claims.own(hold)
            if self._serve(hold, own, by_a_person=by_a_person):
                return IngestOutcome.RELEASED
            log("ERROR", "what is held is not there", key=known.key)
            outcome = self.intake.take_in(attempt, own)
        if by_a_person and outcome is IngestOutcome.HELD:
            raise Busy(retry_in_s=1.0, detail=f"{known.key} is held anew")
        return outcome

    def _serve(self, hold: Lease, own: Record, *, by_a_person: bool) -> bool:
        """Publish what ``own`` says is held; False if it is not there."""
        held = own.held
        with self._observer.step("release"):
            master = Moving(self._publisher).release(hold, held)
        if master is None:
            return False
        derivatives = self._printed(hold, master)
        self._publisher.held.remove(hold)
        kept: dict[str, Any] = {"facts": held["facts"], "provenance": held["provenance"], "released": by_a_person}
        made = kept | {"master": master, "derivatives": derivatives}
        self._ending.settle(hold.ready(held["sha256"], master["version_id"], **made))
        return True

    def _printed(self, hold: Lease, master: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of the presets, made from the master; none where that is no source for them."""
        plans, watermarks = self._prints.of(hold.key)
        kept = self._claims.master(hold.key)
        if kept is None or not plans:
            return ()
        try:
            pictures = self._reprinted(kept, plans, watermarks)
            with self._observer.step("presets"):
                return tuple(self._publisher.put_presets(hold, master["etag"], pictures))
        except DarkroomError as error:
            if error.status >= 500 or error.retryable:
                raise
            log("WARNING", "presets are left to be made when asked for", key=hold.key, code=error.code)
            return ()

    def _reprinted(
        self, master: ObjectHead, plans: Sequence[Plan], watermarks: Mapping[str, bytes]
    ) -> list[tuple[Plan, RenderedImage]]:
        """Pictures of the master that we have put; raises Superseded where there is another by now."""
        try:
            return Reprints(self._claims.source, self._examiner).of(master, plans, watermarks)
        except ObjectChanged as error:
            raise Superseded(wrote=True) from error

    def _take_back(self, known: Record) -> IngestOutcome:
        """What is served is flagged: it waits from now on, or goes for good if a newer upload waits already."""
        with self._attempt(known) as attempt:
            hold = self._ending.claimed(attempt)
            own = self._claims.own(hold)
            with self._observer.step("hold"):
                held = Moving(self._publisher).hold_back(hold, own) if known.state != HELD else own.held
                bare = self._publisher.taken_down(hold, own)
            if held["sha256"] == own.sha256:
                held = {**held, "flagged": True}
            version_id = str(held["master"]["version_id"])
            self._ending.settle(replace(bare, state=HELD, version_id=version_id, held=held, refusal={}))
        return IngestOutcome.HELD

    def as_found(self, attempt: Attempt, known: Record) -> IngestOutcome | None:
        """End what was begun by a worker that died, where the upload is no more and the picture is all there is.

        None if there is nothing of it either.
        """
        hold = self._ending.claimed(attempt)
        own = self._claims.own(hold)
        served = _marks(self._claims.master(known.key)).get(SEQUENCER, "")
        waiting = _marks(self._publisher.held.head(known.key))
        if own.held and served == own.sequencer:
            verdict = self._moderation.get_verdict(known.key, own.held["sha256"])
            self._serve(hold, own, by_a_person=verdict is None or verdict.flagged)
            return IngestOutcome.RELEASED
        if own.held and waiting:
            self._ending.settle(replace(own, state=HELD))
            return IngestOutcome.HELD
        if own.master and served == own.master["sequencer"]:
            self._ending.settle(replace(own, state=REFUSED if own.refusal else READY))
            return IngestOutcome.READY
        if own.sha256 and waiting.get(SHA256) == own.sha256:
            held = Moving(self._publisher).held_back(hold, own)
            self._ending.settle(replace(self._publisher.taken_down(hold, own), state=HELD, held=held, refusal={}))
            return IngestOutcome.HELD
        return None

    def _attempt(self, known: Record) -> Attempt:
        """One at the event that was dealt with last, to end it otherwise."""
        return Attempt(self._claims, known.key, known.sequencer, instead_of=known.token)

    @property
    def _publisher(self) -> Publisher:
        return self.intake.publisher

    @property
    def _claims(self) -> Claims:
        return self.intake.publisher.claims

    @property
    def _ending(self) -> Ending:
        return self.intake.ending

    @property
    def _moderation(self) -> Moderation:
        return self.intake.moderation

    @property
    def _prints(self) -> Prints:
        return self.intake.prints

    @property
    def _examiner(self) -> UploadExaminer:
        return self.intake.examiner

    @property
    def _observer(self) -> Observer:
        return self.intake.observer


def _marks(there: ObjectHead | None) -> Mapping[str, str]:
    return there.metadata if there is not None else {}
