"""From an upload to its end: it is served, held for moderation, or refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from darkroom.errors import DarkroomError, OverLimits
from darkroom.imaging.formats.metadata.provenance import read_provenance
from darkroom.imaging.formats.probe import Header
from darkroom.plan.model import SOURCE_CONTENT_TYPES, Plan
from darkroom.services.deadline import Deadline

from ...aws.record import READY, MasterRef, Record
from .claims import EventAttempt, Lease, StaleIndex
from .context import IngestContext, IngestOutcome
from .examine import (
    Description,
    FetchedUpload,
    describe_header,
    describe_pixels,
    fetch_upload,
    keeps_gain_map,
)
from .finish import hold, refuse, serve
from .moderation import ReviewState
from .publish import choose_presets, claim, copy_master, copy_presets, put_master, put_ready_image

if TYPE_CHECKING:
    from darkroom.client_findings import ClientFindings

_MAX_DONORS = 4
"""Keys with the same bytes that are checked for a copy: if none has a verdict, one analysis costs less than more
checks."""


def ingest_upload(context: IngestContext, attempt: EventAttempt, known: Record | None) -> IngestOutcome:
    """Ingest the current upload of the key of ``attempt``; ``known`` is the record of the key before."""
    try:
        return _ingest(context, attempt, known)
    except StaleIndex as found:
        return _ingest(context, attempt.with_newer_event(found.sequencer), known)


def _ingest(context: IngestContext, attempt: EventAttempt, known: Record | None) -> IngestOutcome:
    with context.observer.step("fetch"):
        upload = fetch_upload(context.uploads, attempt.key, context.examiner.limits)
    if upload is None:
        context.observer.log("INFO", "upload missing", key=attempt.key)
        return IngestOutcome.DROPPED
    try:
        return admit(context, attempt, known, upload)
    except DarkroomError as error:
        if error.status >= 500 or error.retryable:
            raise
        return refuse(context, attempt, upload, error)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An upload that passed all checks short of decoding, and what decides about it.

    ``findings`` came with the upload; ``plans`` are the presets to render, ``watermarks`` their files by name.
    """

    upload: FetchedUpload
    state: ReviewState
    findings: ClientFindings | None
    plans: Sequence[Plan]
    watermarks: dict[str, bytes]


def assess(context: IngestContext, attempt: EventAttempt, known: Record | None, upload: FetchedUpload) -> Candidate:
    """Collect what decides about ``upload``. Raises Unavailable."""
    state = context.moderation.get_review_state(attempt.key, known, upload.sha256)
    findings = context.read_client_findings(upload)
    return Candidate(upload, state, findings, *choose_presets(context, attempt.key))


def admit(context: IngestContext, attempt: EventAttempt, known: Record | None, upload: FetchedUpload) -> IngestOutcome:
    """Serve or hold ``upload``. Raises a DarkroomError of status 4xx if it must be refused."""
    examiner = context.examiner
    try:
        header, data = examiner.read_header(attempt.key, upload)
    except OverLimits as over:
        return _admit_large_image(context, attempt, known, upload, over)
    context.observer.annotate("format", header.format)
    examiner.scan(data)  # known bytes too: they may be older than the scanner or its signatures
    candidate = assess(context, attempt, known, upload)
    if deduplicate(context, attempt, known, candidate):
        return IngestOutcome.DUPLICATE
    facts = describe_header(header, len(data))
    deadline = Deadline(examiner.cpu_limit)
    data, header = examiner.convert(data, header, deadline)
    described = _describe(context, header, data, facts)
    decoded = examiner.decode(
        data,
        candidate.plans,
        candidate.watermarks,
        deadline,
        mezzanines=context.has_mezzanines(attempt.key),
        rights=described.rights,
    )
    lease = claim(context, attempt)
    master = examiner.make_master(data, header, deadline)
    kept = {"gain_map": keeps_gain_map(header, master)}
    if header.gain_map and not kept["gain_map"]:
        context.observer.log("WARNING", "gain map lost", key=attempt.key)
    description = described._replace(facts={**described.facts, **kept, **describe_pixels(decoded)})
    if candidate.state is not ReviewState.PASSED:
        with context.observer.step("hold"):
            held = put_master(context, lease, upload, master, description, held=True).ref
        flagged = candidate.state is ReviewState.FLAGGED
        return hold(context, lease, upload, held, description, flagged=flagged)
    images = examiner.render(decoded, deadline)  # an upload that fails here is refused, and not published
    record = put_ready_image(
        context,
        lease,
        upload,
        description,
        images,
        lambda: put_master(context, lease, upload, master, description),
    )
    serve(context, record, known, candidate.findings)
    return IngestOutcome.READY


def _describe(context: IngestContext, header: Header, data: bytes, facts: Mapping[str, Any]) -> Description:
    """Describe an upload with these ``facts`` before it is decoded."""
    provenance = read_provenance(data, header, keep_gps=context.keep_gps)
    stated = provenance.get("content_credentials")
    if context.credentials is None or not isinstance(stated, dict) or not stated["embedded"]:
        return Description(facts, provenance)
    with context.observer.step("credentials"):
        document, manifest = context.credentials(data, SOURCE_CONTENT_TYPES[header.format])
    source_type = {name: value for name, value in document.items() if name == "digital_source_type"}
    validated = {name: value for name, value in document.items() if name not in source_type}
    return Description(facts, source_type | provenance | {"content_credentials": stated | validated}, manifest)


def _admit_large_image(
    context: IngestContext, attempt: EventAttempt, known: Record | None, upload: FetchedUpload, over: OverLimits
) -> IngestOutcome:
    """Start processing of an ``upload`` above the limits of one worker; raises ``over`` if it is not a large image."""
    from . import large_image  # few uploads are large images

    if context.open_state_machine is None:
        raise over
    header = large_image.read_header(context, upload, over)
    if deduplicate(context, attempt, known, assess(context, attempt, known, upload)):
        return IngestOutcome.DUPLICATE
    return large_image.start(context, attempt, upload, header)


def deduplicate(context: IngestContext, attempt: EventAttempt, known: Record | None, candidate: Candidate) -> bool:
    """Serve bytes that this key or another one serves already, without decoding; return whether that was possible."""
    with context.observer.step("dedupe"):
        record = None
        if candidate.state is ReviewState.PASSED:
            record = _reuse_record(context, attempt, known, candidate.upload)
        record = record or _copy_donor(context, attempt, candidate)
    if record is None:
        return False
    serve(context, record, known, candidate.findings)
    return True


def _reuse_record(
    context: IngestContext, attempt: EventAttempt, known: Record | None, upload: FetchedUpload
) -> Record | None:
    """Return the record of a key whose bytes did not change.

    None if an earlier version did not read its rights, or if presets are missing in a repair.
    """
    if known is None or known.state != READY or known.sha256 != upload.sha256 or not known.master.rights:
        return None
    master = context.claims.head_master(attempt.key)
    if master is None or not context.claims.matches(known, master):
        return None
    if attempt.repairs and not context.derivatives.has_all(known):
        return None
    lease = claim(context, attempt)
    return _build_copy(lease, upload, known, known.master, known.derivatives, known.same_as)


def _copy_donor(context: IngestContext, attempt: EventAttempt, candidate: Candidate) -> Record | None:
    """Copy master and presets of another key with the same bytes; return None if no key has all of them."""
    upload = candidate.upload
    donor = _find_donor(context, attempt.key, candidate)
    if donor is None:
        return None
    lease = claim(context, attempt)
    master = copy_master(context, lease, upload, donor)
    if master is None:
        return None
    names = copy_presets(context, lease, master, candidate.plans, donor)
    return None if names is None else _build_copy(lease, upload, donor, master.ref, names, donor.key)


def _find_donor(context: IngestContext, key: str, candidate: Candidate) -> Record | None:
    same = context.index.find_by_sha256(candidate.upload.sha256)
    others = (record for record in same if record.key != key and record.master.rights)
    donors: Iterable[Record] = islice(others, _MAX_DONORS)
    return next((donor for donor in donors if context.moderation.allows_copy(donor, candidate.state)), None)


def _build_copy(
    lease: Lease, upload: FetchedUpload, donor: Record, master: MasterRef, names: tuple[str, ...], same_as: str
) -> Record:
    """Build the record of ``upload`` with what ``donor`` describes of the same bytes."""
    return lease.build_ready_record(
        upload.sha256,
        upload.head.version_id,
        facts=donor.facts,
        provenance=donor.provenance,
        released=donor.released,
        master=master,
        derivatives=names,
        urgent=upload.is_urgent,
        same_as=same_as,
    )
