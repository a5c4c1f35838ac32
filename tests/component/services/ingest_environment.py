"""The ingest service on MiniStack's buckets, queues, index and bus, created for each test."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from darkroom.image_keys import HELD_MASTERS, MASTERS
from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.limits import Limits
from darkroom.services.caching import CachePolicy
from darkroom.services.deadline import INGEST, CpuLimit
from darkroom_pipeline.aws.documents import DocumentStore
from darkroom_pipeline.aws.eventbridge import EventBus
from darkroom_pipeline.aws.findings_store import FindingsStore, VerdictTable, item_name
from darkroom_pipeline.aws.index import BY_REVIEW, BY_SHA256, Index
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.record import REVIEW, Record
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.scanner import Scanner
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.services.ingest.claims import Claims
from darkroom_pipeline.services.ingest.client_findings import ClientFindingsReader
from darkroom_pipeline.services.ingest.context import IngestContext, IngestOutcome
from darkroom_pipeline.services.ingest.derivative_store import DerivativeStore
from darkroom_pipeline.services.ingest.events import (
    IngestEvent,
    build_confirm_message,
    build_release_message,
    build_verdict_message,
    read_event,
)
from darkroom_pipeline.services.ingest.examine import UploadConverter, UploadExaminer
from darkroom_pipeline.services.ingest.handler import handle_event
from darkroom_pipeline.services.ingest.moderation import Moderation
from darkroom_pipeline.services.ingest.quarantine import Quarantine
from darkroom_pipeline.services.ingest.stores import MasterStore
from darkroom_pipeline.services.manifests import CredentialReader, DerivativeSigner
from darkroom_pipeline.services.purge.stale_derivatives import DerivativePurge
from tests.fixed_keys import FixedKeys
from tests.queues import drain

_numbers = itertools.count(1)

KEYS = ("the current key", "the previous key")


def make_table(dynamodb: Any, name: str) -> None:
    """The index table, as the template makes it."""
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": at, "AttributeType": "S"} for at in ("pk", "sha256", REVIEW, "updated_at")
        ],
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[
            {
                "IndexName": BY_SHA256,
                "KeySchema": [{"AttributeName": "sha256", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            },
            {
                "IndexName": BY_REVIEW,
                "KeySchema": [
                    {"AttributeName": REVIEW, "KeyType": "HASH"},
                    {"AttributeName": "updated_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            },
        ],
    )


class RecordingQueue(Queue):
    """A queue that also records sent messages, since a delayed message cannot be received."""

    def __init__(self, client: Any, url: str, sent: list[str]) -> None:
        super().__init__(client, url)
        self._sent = sent

    def send_text(self, text: str, *, delay_s: int = 0, attributes: Mapping[str, str] | None = None) -> None:
        super().send_text(text, delay_s=delay_s, attributes=attributes)
        self._sent.append(text)


@dataclass
class IngestEnvironment:
    """The resources of ingest.

    ``now_s`` is the clock, ``sent`` lists messages to the queue of changes. ``blocks``: images wait for moderation.
    """

    clients: dict[str, Any]
    names: Mapping[str, str]
    now_s: float = 1_795_600_000.0
    limits: Limits = field(default_factory=Limits)
    scanner: Scanner | None = None
    cpu_limit: CpuLimit = INGEST
    keep_gps: bool = False
    blocks: bool = False
    always: ForcedOptions = field(default_factory=ForcedOptions)
    mezzanines: bool = False
    metadata: str = "none"
    credentials: CredentialReader | None = None
    signer: DerivativeSigner | None = None
    converter: UploadConverter | None = None
    sent: list[str] = field(default_factory=list)
    _sequence: Any = field(default_factory=lambda: itertools.count(0x1000))

    @classmethod
    def build(cls, aws: Callable[[str], Any]) -> IngestEnvironment:
        """Create new resources."""
        number = next(_numbers)
        clients = {name: aws(name) for name in ("s3", "sqs", "dynamodb", "events")}
        names = {name: f"{name}-{number}" for name in ("uploads", "media", "quarantine", "audit", "index", "bus")}
        for bucket in ("uploads", "media", "quarantine", "audit"):
            clients["s3"].create_bucket(Bucket=names[bucket])
        clients["s3"].put_bucket_versioning(Bucket=names["uploads"], VersioningConfiguration={"Status": "Enabled"})
        make_table(clients["dynamodb"], names["index"])
        for queue in ("changes", "urgent", "purges", "published", "dead", "reviews", "undecided"):
            names[queue] = clients["sqs"].create_queue(QueueName=f"{queue}-{number}")["QueueUrl"]
        clients["events"].create_event_bus(Name=names["bus"])
        rule = {"Name": "all", "EventBusName": names["bus"], "EventPattern": json.dumps({"source": ["darkroom"]})}
        clients["events"].put_rule(**rule)
        published = clients["sqs"].get_queue_attributes(QueueUrl=names["published"], AttributeNames=["QueueArn"])
        target = {"Id": "published", "Arn": published["Attributes"]["QueueArn"]}
        clients["events"].put_targets(Rule="all", EventBusName=names["bus"], Targets=[target])
        return cls(clients, names)

    def vault(self, bucket: str) -> S3Bucket:
        return S3Bucket(self.clients["s3"], self.names[bucket])

    def queue(self, name: str) -> Queue:
        return Queue(self.clients["sqs"], self.names[name])

    @property
    def index(self) -> Index:
        return Index(self.clients["dynamodb"], self.names["index"])

    @property
    def claims(self) -> Claims:
        changes = RecordingQueue(self.clients["sqs"], self.names["changes"], self.sent)
        holding = self.vault("media") if self.blocks else None
        return Claims(self.index, changes, self.vault("media"), MASTERS, 60, lambda: self.now_s, holding)

    @property
    def entries(self) -> DocumentStore:
        return DocumentStore(self.clients["dynamodb"], self.names["index"])

    @property
    def archive(self) -> FindingsStore:
        return FindingsStore(self.vault("media"), self.entries)

    @property
    def context(self) -> IngestContext:
        observer, claims, media = PowertoolsObserver("ingest"), self.claims, self.vault("media")
        return IngestContext(
            claims=claims,
            uploads=self.vault("uploads"),
            media=media,
            masters=MasterStore(claims, media, MASTERS),
            held_masters=MasterStore(claims, media, HELD_MASTERS),
            derivatives=DerivativeStore(
                media, DerivativePurge(media, media), self.queue("purges"), CachePolicy(), self.signer
            ),
            quarantine=Quarantine(self.vault("quarantine"), self.vault("uploads")),
            examiner=UploadExaminer(self.limits, observer, self.scanner, self.cpu_limit, self.converter),
            moderation=Moderation(
                lambda: VerdictTable(self.clients["dynamodb"], self.names["index"]), lambda: self.entries, self.blocks
            ),
            open_client_findings=lambda: ClientFindingsReader(FixedKeys(KEYS), self.archive, "1", observer),
            bus=EventBus(self.clients["events"], self.names["bus"], "darkroom"),
            audit_bucket=self.vault("audit"),
            observer=observer,
            keep_gps=self.keep_gps,
            always=self.always,
            mezzanines=self.mezzanines,
            metadata=self.metadata,
            credentials=self.credentials,
        )

    def handle(self, event: IngestEvent) -> IngestOutcome:
        """Run ingest on ``event``."""
        return handle_event(self.context, event)

    def judge(self, key: str, *, flagged: bool, body: bytes) -> None:
        """Write inference's findings for ``body``, uploaded under ``key``."""
        item = {
            "pk": {"S": item_name(key)},
            "sha256_of": {"S": sha256(body).hexdigest()},
            "source_etag": {"S": "of its master"},
            "flagged": {"BOOL": flagged},
        }
        self.clients["dynamodb"].put_item(TableName=self.names["index"], Item=item)

    def judged(self, key: str, *, flagged: bool, body: bytes) -> IngestOutcome:
        """Write the findings and run ingest on their message."""
        self.judge(key, flagged=flagged, body=body)
        return self.message(build_verdict_message(key))

    def released(self, key: str, body: bytes | None = None) -> IngestOutcome:
        """Approve the upload as a moderator."""
        return self.message(build_release_message(key, sha256(body).hexdigest() if body else ""))

    def confirmed(self, key: str, body: bytes | None = None) -> IngestOutcome:
        """Reject the upload as a moderator."""
        return self.message(build_confirm_message(key, sha256(body).hexdigest() if body else ""))

    def message(self, message: Mapping[str, object]) -> IngestOutcome:
        """Deal with a message of our own."""
        found = read_event(json.dumps(message))
        assert found is not None
        return self.handle(found)

    def upload(self, key: str, body: bytes, **further: Any) -> str:
        """Put an upload; the sequencer of its event."""
        self.clients["s3"].put_object(Bucket=self.names["uploads"], Key=key, Body=body, **further)
        return self.next_sequencer()

    def next_sequencer(self) -> str:
        """Return a sequencer newer than all before."""
        return f"{next(self._sequence):X}"

    def change(
        self, key: str, sequencer: str, detail_type: str = "Object Created", reason: str = "PutObject"
    ) -> IngestEvent:
        """The change that an S3 event describes."""
        found = read_event(event_text(self.names["uploads"], key, sequencer, detail_type, reason))
        assert found is not None
        return found

    def deletion(self, key: str, version_id: str = "") -> IngestEvent:
        """Delete the upload, or one version of it for good; the change that this is."""
        version = {"VersionId": version_id} if version_id else {}
        gone = self.clients["s3"].delete_object(Bucket=self.names["uploads"], Key=key, **version)
        deletion_type = "Permanently Deleted" if version_id else "Delete Marker Created"
        further = {"deletion-type": deletion_type}
        text = event_text(
            self.names["uploads"],
            key,
            self.next_sequencer(),
            "Object Deleted",
            "DeleteObject",
            gone["VersionId"],
            further,
        )
        found = read_event(text)
        assert found is not None
        return found

    def created(self, key: str, body: bytes, **further: Any) -> IngestOutcome:
        """Upload and ingest."""
        return self.handle(self.change(key, self.upload(key, body, **further)))

    def deleted(self, key: str) -> IngestOutcome:
        """Delete the upload and ingest that."""
        return self.handle(self.deletion(key))

    def record(self, key: str) -> Record:
        found = self.index.get(key)
        assert found is not None
        return found

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """List the keys of a bucket."""
        return [listed.key for page in self.vault(bucket).list_pages(prefix) for listed in page]

    def body(self, bucket: str, key: str) -> bytes:
        opened = self.vault(bucket).open(key)
        assert opened is not None
        return opened.body.read()

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """Receive and delete all visible messages of a queue."""
        return drain(self.clients["sqs"], self.names[queue])

    def published(self) -> list[tuple[str, dict[str, Any]]]:
        """Detail types and details of the events since the last call."""
        return [(event["detail-type"], event["detail"]) for event in self.messages("published")]


def event_text(
    bucket: str,
    key: str,
    sequencer: str,
    detail_type: str,
    reason: str,
    version_id: str = "",
    further: Mapping[str, str] | None = None,
) -> str:
    """An S3 event in the form in which EventBridge sends it to a queue."""
    object_ = {"key": key, "size": 5, "etag": "d41d8cd98f00b204e9800998ecf8427e", "sequencer": sequencer}
    return json.dumps(
        {
            "version": "0",
            "id": "17793124-05d4-b198-2fde-7ededc63b103",
            "detail-type": detail_type,
            "source": "aws.s3",
            "account": "000000000000",
            "time": "2026-11-25T12:00:00Z",
            "region": "us-east-1",
            "resources": [f"arn:aws:s3:::{bucket}"],
            "detail": {
                "version": "0",
                "bucket": {"name": bucket},
                "object": object_ | ({"version-id": version_id} if version_id else {}),
                "request-id": "N4N7GDK58NMKJ12R",
                "requester": "123456789012",
                "reason": reason,
                **(further or {}),
            },
        }
    )
