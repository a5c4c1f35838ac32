"""What each step of ingest works with: adapters and settings in one value, and the outcomes of an event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from darkroom.aws.telemetry import Observer
from darkroom.plan.forced_options import NOTHING_FORCED, ForcedOptions
from darkroom.plan.model import METADATA
from darkroom.plan.presets import Presets, load_default_presets

from ...aws.eventbridge import EventBus
from ...aws.index import Index
from ...aws.s3 import S3Bucket
from ...aws.s3_objects import FINDINGS
from ..manifests import CredentialReader
from .claims import Claims
from .derivative_store import DerivativeStore
from .examine import FetchedUpload, UploadExaminer
from .moderation import Moderation
from .quarantine import Quarantine
from .stores import MasterStore

if TYPE_CHECKING:
    from darkroom.client_findings import ClientFindings

    from ...aws.stepfunctions import StateMachine
    from .client_findings import ClientFindingsReader


class IngestOutcome(StrEnum):
    """The result of an event.

    ``STARTED``: the state machine processes a large image, and reports its result as an event of its own.
    ``DROPPED``: there was nothing to do, or a newer event did it.
    """

    READY = "ready"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    REMOVED = "removed"
    HELD = "held"
    RELEASED = "released"
    CONFIRMED = "confirmed"
    STARTED = "started"
    DROPPED = "dropped"


@dataclass(frozen=True)
class IngestContext:
    """Adapters and settings of ingest.

    ``masters`` are served, ``held_masters`` wait for moderation. ``media`` holds watermarks and parts of large images.
    ``open_client_findings`` and ``open_state_machine`` make what few uploads need. The state machine processes large
    images; without it they are refused. ``mezzanines``: masters may have mezzanines.
    ``metadata``: what files have of which a URL does not set it (:data:`darkroom.plan.model.METADATA`).
    ``credentials`` reads Content Credentials; without it they are not validated, and their manifest is not kept.
    """

    claims: Claims
    uploads: S3Bucket
    media: S3Bucket
    masters: MasterStore
    held_masters: MasterStore
    derivatives: DerivativeStore
    quarantine: Quarantine
    examiner: UploadExaminer
    moderation: Moderation
    open_client_findings: Callable[[], ClientFindingsReader]
    bus: EventBus
    audit_bucket: S3Bucket
    observer: Observer
    keep_gps: bool = False
    presets: Presets = field(default_factory=load_default_presets)
    always: ForcedOptions = NOTHING_FORCED
    open_state_machine: Callable[[], StateMachine] | None = None
    mezzanines: bool = False
    metadata: str = METADATA[0]
    credentials: CredentialReader | None = None

    @property
    def index(self) -> Index:
        """Records of the images, on which ``claims`` claim keys."""
        return self.claims.index

    def read_client_findings(self, upload: FetchedUpload) -> ClientFindings | None:
        """Return the findings that came with ``upload``, None without valid ones. Raises Unavailable."""
        return self.open_client_findings().read(upload) if FINDINGS in upload.head.metadata else None

    def has_mezzanines(self, key: str) -> bool:
        """Return whether a master of ``key`` may have mezzanines: no redaction is rendered from one."""
        return self.mezzanines and not self.always.find(key).redact
