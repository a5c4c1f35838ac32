"""A small final state without violations, for tests that add one."""

from __future__ import annotations

import hashlib

from chaos.environment import INGEST, INGEST_DEAD, PURGE
from chaos.expected_state import compute_expected
from chaos.image_oracle import digest, expected_master
from chaos.images import Content, ImageFactory
from chaos.invariants import DERIVATIVES, MASTERS, Case
from chaos.script import Action, Operation
from chaos.snapshot import DeadLetter, PublishedEvent, Snapshot, Stored
from darkroom.plan.canonical import derivative_name
from darkroom.plan.presets import load_default_presets
from darkroom_pipeline.aws.record import build_image_id, pad_sequencer

IMAGES = ImageFactory(7)
IMAGE, OTHER = IMAGES.photograph(1), IMAGES.photograph(2)
DAMAGED = IMAGES.damaged(3)
POISON = '{"chaos": "no event"}'
READY, REFUSED, REMOVED = "ready.jpg", "refused.jpg", "removed.jpg"

SCRIPT = [
    Action(Operation.PUT, READY, IMAGE),
    Action(Operation.PUT, REFUSED, DAMAGED),
    Action(Operation.PUT, REMOVED, OTHER),
    Action(Operation.DELETE, REMOVED),
]
SEQUENCERS = {READY: ["01"], REFUSED: ["02"], REMOVED: ["03", "04"]}


def stored(body: bytes, **metadata: str) -> Stored:
    """Return an object with S3's metadata names."""
    etag = hashlib.md5(body).hexdigest()
    return Stored(etag, body, {name.replace("_", "-"): value for name, value in metadata.items()})


def master(content: Content, sequencer: str) -> Stored:
    """Return the master of an upload."""
    return stored(expected_master(content.data), sha256=digest(content), sequencer=pad_sequencer(sequencer))


def presets(key: str) -> list[str]:
    """Return the names of the derivatives made at ingest."""
    return [derivative_name(plan) for plan in load_default_presets().build_ingest_plans(key).values()]


def announced(detail_type: str, key: str, sequencer: str, version: str, **more: str) -> PublishedEvent:
    """Return an announcement of the event ``sequencer``."""
    detail = {"id": build_image_id(key, pad_sequencer(sequencer), version), "key": key, "version_id": version}
    return PublishedEvent(detail_type, detail | more)


def sound() -> Case:
    """Return the correct final state of SCRIPT."""
    master_object = master(IMAGE, "01")
    derived = stored(IMAGE.data, source_etag=master_object.etag)
    snapshot = Snapshot(
        media={MASTERS + READY: master_object, **{DERIVATIVES + name: derived for name in presets(READY)}},
        quarantine={"refused.jpg/_/02": stored(DAMAGED.data, code="damaged")},
        records={
            READY: {
                "state": "ready",
                "sha256": digest(IMAGE),
                "version_id": "v1",
                "master": {"etag": f'"{master_object.etag}"'},
                "derivatives": presets(READY),
            },
            REFUSED: {
                "state": "refused",
                "version_id": "v2",
                "refusal": {"code": "damaged", "sha256": digest(DAMAGED), "quarantined": "refused.jpg/_/02"},
            },
            REMOVED: {"state": "removed"},
        },
        announced=[
            *[announced("ImageReady", READY, "01", "v1", sha256=digest(IMAGE))] * 2,
            announced("ImageRefused", REFUSED, "02", "v2", sha256=digest(DAMAGED), code="damaged"),
            announced("ImageReady", REMOVED, "03", "v3", sha256=digest(OTHER)),
            announced("ImageRemoved", REMOVED, "04", ""),
        ],
        depths={INGEST: 0, PURGE: 0},
        dead=[DeadLetter(INGEST_DEAD, POISON, {})],
        current={READY: "v1", REFUSED: "v2"},
        sequencers=SEQUENCERS,
    )
    uploaded = {READY: (IMAGE,), REFUSED: (DAMAGED,), REMOVED: (OTHER,)}
    versions = {"v1": IMAGE, "v2": DAMAGED, "v3": OTHER}
    return Case(compute_expected(SCRIPT), uploaded, versions, snapshot, (POISON,))
