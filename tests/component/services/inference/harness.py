"""The infer service on MiniStack's buckets, queues, tables and bus, with a scripted endpoint."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from darkroom.aws import switches as switching
from darkroom.aws.switches import Switches
from darkroom.findings import (
    FACES,
    FALLBACK,
    LIKENESS,
    MODERATION,
    SIMILARITY,
    TAGS,
    TEXT,
    VECTOR_TASKS,
    Face,
    Finding,
    Findings,
    Label,
    Region,
)
from darkroom.image_keys import MASTERS, ObjectNames, derivatives_prefix
from darkroom.plan.limits import Limits
from darkroom.services.caching import SOURCE_ETAG
from darkroom.services.live_settings import TaskRules
from darkroom_analysis.inference.analysis import AnalysisOutcome, AnalysisService, AnalysisSettings
from darkroom_analysis.inference.breaker import CircuitBreaker
from darkroom_analysis.inference.breaker import CircuitSettings as CircuitTerms
from darkroom_analysis.inference.duplicates import DuplicateFindings
from darkroom_analysis.inference.endpoint_client import EndpointClient
from darkroom_analysis.inference.findings_writer import FindingsWriter
from darkroom_analysis.inference.predictions import Detector
from darkroom_analysis.inference.views import MAX_VIEWS
from darkroom_analysis.mlops.agreement import disagreement
from darkroom_analysis.mlops.endpoint_variants import EndpointVariants, VariantRolesCache
from darkroom_analysis.mlops.sample_store import SampleStore
from darkroom_analysis.mlops.sampler import SampleRecorder
from darkroom_analysis.mlops.shadow import ShadowClient
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.documents import DocumentStore
from darkroom_pipeline.aws.eventbridge import EventBus
from darkroom_pipeline.aws.findings_store import FindingsRecord, FindingsStore
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.record import READY, MasterRef, Record, pad_sequencer, to_item
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sagemaker import Endpoint
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.aws.tag_index import TagIndex
from darkroom_pipeline.aws.vectors.dynamodb import DynamoDBVectors
from darkroom_pipeline.services.analysis_requests import AnalysisRequest, RequestKind
from darkroom_pipeline.services.ingest.claims import SEQUENCER, SHA256, VERSION_ID
from darkroom_pipeline.services.masters import Masters
from tests.component.aws.sagemaker import NAME, Runtime
from tests.component.services.ingest_environment import RecordingQueue, make_table
from tests.queues import drain
from tests.waiting import HANG_S

ALL = (FACES, TEXT, MODERATION, SIMILARITY, TAGS, LIKENESS)
SMALL = (FACES, MODERATION, SIMILARITY, TAGS, LIKENESS)
TOO_LONG_S = 0.5
"""The read timeout of an impatient client, for a response that never comes."""

SLOTS = 100

_numbers = itertools.count(1)


@dataclass
class SmallModels:
    """Stands for the models within the function; ``seen`` lists the images that they analysed."""

    tasks: Sequence[str] = SMALL
    seen: list[bytes] = field(default_factory=list)
    broken: bool = False

    def detect(self, jpeg: bytes, tasks: Sequence[str]) -> dict[str, Finding]:
        self.seen.append(jpeg)
        if self.broken:
            raise RuntimeError("no models")
        return {task: small(task) for task in tasks if task in self.tasks}

    def explain(self, jpeg: bytes) -> None:
        """None of these models flags anything."""


def small(task: str) -> Finding:
    """The findings of the models for any image."""
    by_task = {
        FACES: Finding(FACES, "cpu-faces", "1", FALLBACK, faces=(Face(Region(0.3, 0.3, 0.3, 0.3), 0.7),)),
        MODERATION: Finding(MODERATION, "cpu-moderation", "1", FALLBACK, labels=(Label("safe", 0.7),)),
        SIMILARITY: Finding(SIMILARITY, "cpu-similarity", "1", FALLBACK, vector=(1.0, *(0.0,) * 511)),
        TAGS: Finding(TAGS, "cpu-tags", "1", FALLBACK, labels=(Label("bridge", 0.7), Label("castle", 0.6))),
        LIKENESS: Finding(LIKENESS, "cpu-likeness", "1", FALLBACK, vector=(1.0, *(0.0,) * 1279)),
    }
    return by_task[task]


def make_vectors(dynamodb: Any, name: str) -> None:
    """The table of embeddings, as the template makes it."""
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "N"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )


@dataclass
class InferEnvironment:
    """The resources of infer. ``now_s`` is the clock, ``sent`` lists messages to its own queue."""

    clients: dict[str, Any]
    names: Mapping[str, str]
    runtime: Runtime
    now_s: float = 1_795_600_000.0
    models: SmallModels = field(default_factory=SmallModels)
    mode: str = "endpoint"
    has_similarity: bool = True
    block: bool = False
    max_views: int = MAX_VIEWS
    tasks: Sequence[str] = ALL
    tasks_by_prefix: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cutout_prefixes: tuple[str, ...] = ()
    generation: str = "1"
    circuit: CircuitTerms = field(default_factory=CircuitTerms)
    finder: Detector | None = None
    sent: list[str] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    observer: PowertoolsObserver = field(default_factory=lambda: PowertoolsObserver("infer"))
    _slot: Any = field(default_factory=itertools.count)
    _sequence: Any = field(default_factory=lambda: itertools.count(0x1000))

    @classmethod
    def build(cls, aws: Callable[[str], Any], runtime: Runtime) -> InferEnvironment:
        """Create new resources."""
        number = next(_numbers)
        clients = {name: aws(name) for name in ("s3", "sqs", "dynamodb", "events")}
        clients["sagemaker-runtime"] = create_client(
            "sagemaker-runtime", runtime.environment, read_s=HANG_S, attempts=1
        )
        clients["sagemaker"] = create_client("sagemaker", runtime.environment, attempts=1)
        names = {name: f"infer-{name}-{number}" for name in ("media", "index", "vectors", "bus")}
        clients["s3"].create_bucket(Bucket=names["media"])
        make_table(clients["dynamodb"], names["index"])
        make_vectors(clients["dynamodb"], names["vectors"])
        for queue in ("normal", "priority", "purges", "changes", "published", "dead"):
            names[queue] = clients["sqs"].create_queue(QueueName=f"infer-{queue}-{number}")["QueueUrl"]
        clients["events"].create_event_bus(Name=names["bus"])
        rule = {"Name": "all", "EventBusName": names["bus"], "EventPattern": json.dumps({"source": ["darkroom"]})}
        clients["events"].put_rule(**rule)
        attributes = clients["sqs"].get_queue_attributes(QueueUrl=names["published"], AttributeNames=["QueueArn"])
        target = {"Id": "published", "Arn": attributes["Attributes"]["QueueArn"]}
        clients["events"].put_targets(Rule="all", EventBusName=names["bus"], Targets=[target])
        return cls(clients, names, runtime)

    @property
    def media(self) -> S3Bucket:
        return S3Bucket(self.clients["s3"], self.names["media"])

    @property
    def index(self) -> Index:
        return Index(self.clients["dynamodb"], self.names["index"])

    @property
    def entries(self) -> DocumentStore:
        return DocumentStore(self.clients["dynamodb"], self.names["index"])

    @property
    def archive(self) -> FindingsStore:
        return FindingsStore(self.media, self.entries)

    @property
    def vectors(self) -> DynamoDBVectors:
        return self.stores[SIMILARITY]

    @property
    def stores(self) -> dict[str, DynamoDBVectors]:
        """The stores of embeddings by task."""
        client = self.clients["dynamodb"]
        return {task: DynamoDBVectors(client, self.names["vectors"], task) for task in VECTOR_TASKS}

    @property
    def tags(self) -> TagIndex:
        return TagIndex(self.clients["dynamodb"], self.names["vectors"])

    def searchable(self, key: str) -> tuple[str, str, tuple[str, ...]]:
        """What ``key`` is found by: the models of its embeddings, "" for none, and its tags."""
        stored = [self.stores[task].get(key) for task in VECTOR_TASKS]
        copies, likeness = (one.model if one is not None else "" for one in stored)
        return copies, likeness, self.tags.get(key)

    def variants(self) -> EndpointVariants:
        """Variants of the endpoint; the same server lists them."""
        return EndpointVariants(self.clients["sagemaker"], NAME)

    @property
    def samples(self) -> SampleStore:
        """Few slots, filled one after the other."""
        return SampleStore(
            self.clients["dynamodb"],
            self.names["index"],
            slots=SLOTS,
            trial_slots=SLOTS,
            choose=lambda slots: next(self._slot) % slots,
        )

    @property
    def masters(self) -> Masters:
        return Masters(self.media, MASTERS, self.media)

    def queue(self, name: str) -> Queue:
        return Queue(self.clients["sqs"], self.names[name])

    @property
    def breaker(self) -> CircuitBreaker:
        """One of a worker that has just started."""
        switches = Switches(self.media.read, clock=lambda: self.now_s)
        return CircuitBreaker(
            self.entries,
            self.circuit,
            lambda: self.now_s,
            lambda: self.opened.append(self.now_s),
            lambda: switches.is_on(switching.FALLBACK),
        )

    def wait_for_answers(self, read_s: float) -> None:
        """Set the read timeout of the endpoint's clients."""
        environment = self.runtime.environment
        self.clients["sagemaker-runtime"] = create_client("sagemaker-runtime", environment, read_s=read_s, attempts=1)

    @property
    def infer(self) -> AnalysisService:
        """The service of a worker that has just started."""
        caller = EndpointClient(
            Endpoint(self.clients["sagemaker-runtime"], NAME),
            self.breaker,
            self.observer,
            deadline_s=4 * HANG_S,
            call_timeout_s=TOO_LONG_S,
            sleep=lambda _: None,
        )
        stores, tags = (self.stores, self.tags) if self.has_similarity else ({}, None)
        return AnalysisService(
            settings=AnalysisSettings(
                self.generation,
                TaskRules(tuple(self.tasks), tuple(self.tasks_by_prefix.items()), cutout_prefixes=self.cutout_prefixes),
                Limits(),
                self.block,
                self.max_views,
            ),
            writer=FindingsWriter(self.archive, self.masters, self.media, self.queue("purges"), stores, tags),
            duplicates=DuplicateFindings(self.archive, self.index, stores),
            index=self.index,
            models=ShadowClient(caller, VariantRolesCache(self.variants, self.observer))
            if self.mode == "endpoint"
            else None,
            detector=self.finder or self.models,
            queue=RecordingQueue(self.clients["sqs"], self.names["normal"], self.sent),
            verdicts=self.queue("changes"),
            bus=EventBus(self.clients["events"], self.names["bus"], "darkroom"),
            samples=SampleRecorder(self.samples, self.masters, self.observer, lambda: self.now_s),
            distance=disagreement,
            observer=self.observer,
            clock=lambda: self.now_s,
        )

    def next_sequencer(self) -> str:
        """Return a sequencer newer than all before, padded."""
        return pad_sequencer(f"{next(self._sequence):X}")

    def master(self, key: str, body: bytes, *, sha256: str = "", prefix: str = "masters/") -> str:
        """Put a master and its index record, and return the sequencer of its event."""
        sequencer = self.next_sequencer()
        digest = sha256 or f"digest of {key} {sequencer}"
        marks = {SEQUENCER: sequencer, SHA256: digest, VERSION_ID: f"v{sequencer[:4]}"}
        etag = self.media.put(
            ObjectNames(prefix).name(key), body, headers={"Content-Type": "image/jpeg"}, metadata=marks
        )
        record = Record(
            key,
            READY,
            sequencer,
            sha256=digest,
            facts={"perceptual_hash": "cedbd88c49eaf808"},
            master=MasterRef(etag=etag),
        )
        self.clients["dynamodb"].put_item(TableName=self.names["index"], Item=to_item(record))
        return sequencer

    def derivative(self, key: str, name: str) -> str:
        """Put an image that was made of the present master; its object's key."""
        master = self.media.head(MASTERS.name(key))
        assert master is not None
        place = derivatives_prefix(key) + name
        self.media.put(place, b"x", headers={}, metadata={SOURCE_ETAG: master.etag.strip('"')})
        return place

    def ready(self, key: str, body: bytes, **further: Any) -> AnalysisOutcome:
        """Put a master and deal with its event."""
        return self.infer.handle(AnalysisRequest(RequestKind.READY, key, self.master(key, body, **further)))

    def removed(self, key: str) -> AnalysisOutcome:
        """Delete the master and deal with that."""
        self.media.delete(MASTERS.name(key))
        return self.infer.handle(AnalysisRequest(RequestKind.REMOVED, key, self.next_sequencer()))

    def findings(self, key: str, generation: str = "1") -> Findings:
        """Read the findings of the sidecar."""
        found = self.archive.read_sidecar(generation, key)
        assert found is not None
        assert found.findings is not None
        return found.findings

    def noted(self, key: str) -> FindingsRecord:
        return self.archive.read_record(key)

    def known(self, key: str, findings: Findings) -> None:
        """Put a sidecar, as another worker would."""
        self.archive.put_sidecar(key, findings, replaces=self.archive.read_sidecar(findings.generation, key))

    def etag(self, key: str, prefix: str = "masters/") -> str:
        found = self.media.head(ObjectNames(prefix).name(key))
        assert found is not None
        return found.etag.strip('"')

    def keys(self, prefix: str = "") -> list[str]:
        return [listed.key for page in self.media.list_pages(prefix) for listed in page]

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """Receive and delete all visible messages of a queue."""
        return drain(self.clients["sqs"], self.names[queue])

    def published(self) -> list[dict[str, Any]]:
        """Details of the events since the last call; all of them are ImageAnalysed."""
        events = self.messages("published")
        assert {event["detail-type"] for event in events} <= {"ImageAnalysed"}
        return [event["detail"] for event in events]


def by(findings: Findings, who: str) -> Findings:
    """Return the findings with another origin."""
    return replace(findings, found={task: replace(one, origin=who) for task, one in findings.found.items()})
