"""Check the final state for lost, corrupt, duplicate or leftover data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from darkroom.image_keys import decode_key, encode_key
from darkroom.plan.canonical import derivative_name
from darkroom.plan.presets import load_default_presets
from darkroom.services.live_settings import CURRENT
from darkroom_pipeline.aws.record import build_image_id, pad_sequencer

from .expected_state import ExpectedEnd, ExpectedState
from .image_oracle import digest, digest_image, expected_master, is_like, list_differences
from .images import Content
from .snapshot import PublishedEvent, Snapshot, Stored, as_text

MASTERS, DERIVATIVES = "masters/", "derivatives/"


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that invariants check. ``poison`` are messages that no worker can process.

    ``uploaded`` has the contents of each key, ``versions`` the content of each version id.
    """

    expected: Mapping[str, ExpectedState]
    uploaded: Mapping[str, tuple[Content, ...]]
    versions: Mapping[str, Content]
    snapshot: Snapshot
    poison: tuple[str, ...]

    def master(self, key: str) -> Stored | None:
        """Return the master of ``key``."""
        return self.snapshot.media.get(MASTERS + encode_key(key))


@dataclass(frozen=True, slots=True)
class Violation:
    """A violated invariant."""

    invariant: str
    about: str
    what: str


def check(case: Case) -> list[Violation]:
    """Return all violations of all invariants."""
    return [Violation(name, about, what) for name, invariant in INVARIANTS.items() for about, what in invariant(case)]


type _Found = Iterator[tuple[str, str]]


def _find_unaccounted(case: Case) -> _Found:
    for key, expected in case.expected.items():
        record = case.snapshot.records.get(key)
        if record is None:
            if expected.end is not ExpectedEnd.REMOVED:
                yield key, "is not in the index"
            continue
        for what in _compare_record(expected, record, case.snapshot.current.get(key, "")):
            yield key, what
    for key in case.snapshot.records.keys() - case.expected.keys():
        yield key, "is in the index, but was never uploaded"


def _compare_record(expected: ExpectedState, record: Mapping[str, Any], version_id: str) -> Iterator[str]:
    yield from list_differences("the state", record.get("state"), expected.end.value)
    if expected.content is None:
        return
    refusal = record.get("refusal", {})
    sha256 = refusal.get("sha256") if expected.end is ExpectedEnd.REFUSED else record.get("sha256")
    yield from list_differences("the sha256", sha256, digest(expected.content))
    yield from list_differences("the version", record.get("version_id"), version_id)
    if expected.end is ExpectedEnd.REFUSED:
        yield from list_differences("the code", refusal.get("code"), expected.content.code)


def _check_masters(case: Case) -> _Found:
    for key, expected in case.expected.items():
        found = case.master(key)
        if found is None:
            if expected.end is ExpectedEnd.READY:
                yield key, "has no master"
            continue
        if not expected.masters:
            yield key, f"has a master, though it is {expected.end}"
            continue
        contents = [content for content in expected.masters if expected_master(content.data) == found.body]
        if not contents:
            yield key, f"has a master of {len(found.body)} bytes that are not those of the newest good upload"
            continue
        for what in _compare_metadata(case, key, found, contents):
            yield key, what
    for name in case.snapshot.media:
        if name.startswith(MASTERS) and decode_key(name.removeprefix(MASTERS)) not in case.expected:
            yield name, "is a master without an upload"


def _compare_metadata(case: Case, key: str, master: Stored, contents: list[Content]) -> Iterator[str]:
    if digest_image(master.body) is None:
        yield "has a master that cannot be decoded"
    if master.metadata.get("sha256") not in {digest(content) for content in contents}:
        yield "has a master with another upload's sha256"
    if master.metadata.get("sequencer") not in {
        pad_sequencer(known) for known in case.snapshot.sequencers.get(key, ())
    }:
        yield "has a master whose sequencer belongs to no event"
    recorded_master = case.snapshot.records.get(key, {}).get("master", {})
    yield from list_differences(
        "the master's etag in the index", recorded_master.get("etag", "").strip('"'), master.etag
    )


def _check_derivatives(case: Case) -> _Found:
    for name, found in case.snapshot.media.items():
        if not name.startswith(DERIVATIVES):
            continue
        key = decode_key(name.removeprefix(DERIVATIVES).rpartition("/_/")[0])
        master = case.master(key)
        if master is None:
            yield name, "is a derivative without a master"
        elif found.metadata.get("source-etag") != master.etag:
            yield name, f"was made from {found.metadata.get('source-etag')}, the master is {master.etag}"
        elif not name.endswith(".json") and (what := _compare_images(found, master)):
            yield name, what


def _compare_images(derivative: Stored, master: Stored) -> str:
    seen, required = digest_image(derivative.body), digest_image(master.body)
    if seen is None:
        return "cannot be decoded"
    return "" if required is None or is_like(seen, required) else f"shows another image: {seen}, not {required}"


def _check_presets(case: Case) -> _Found:
    for key, expected in case.expected.items():
        if expected.end is not ExpectedEnd.READY:
            continue
        required = {derivative_name(plan) for plan in load_default_presets().build_ingest_plans(key).values()}
        recorded = set(case.snapshot.records.get(key, {}).get("derivatives", ()))
        for what in list_differences("the list of derivatives in the index", sorted(recorded), sorted(required)):
            yield key, what
        for name in required:
            if DERIVATIVES + name not in case.snapshot.media:
                yield name, "was not made at ingest"


def _check_quarantine(case: Case) -> _Found:
    refused = {
        key: {content.data: content.code for content in contents if content.code}
        for key, contents in case.uploaded.items()
    }
    for name, found in case.snapshot.quarantine.items():
        code = refused.get(decode_key(name.rpartition("/_/")[0]), {}).get(found.body)
        if code is None:
            yield name, "is in quarantine, but is no refused upload"
        elif found.metadata.get("code") != code:
            yield name, f"is in quarantine for {found.metadata.get('code')!r}, not {code!r}"
    for key, expected in case.expected.items():
        if expected.end is not ExpectedEnd.REFUSED:
            continue
        place = case.snapshot.records.get(key, {}).get("refusal", {}).get("quarantined")
        copy = case.snapshot.quarantine.get(str(place))
        if copy is None or expected.content is None or copy.body != expected.content.data:
            yield key, f"was refused, but {place!r} in quarantine is not that upload"


def _check_announcements(case: Case) -> _Found:
    details: dict[str, dict[str, object]] = {}
    for announced in case.snapshot.announced:
        key, name = announced.detail["key"], announced.detail["id"]
        known = case.snapshot.sequencers.get(key, ())
        if name not in {build_image_id(key, pad_sequencer(one), announced.detail["version_id"]) for one in known}:
            yield key, f"{announced.detail_type} has the id of no event: {name}"
        fields = _repeatable_fields(announced)
        if details.setdefault(name, fields) != fields:
            yield key, f"one id, two announcements: {details[name]} and {fields}"
        if fields != _expected_fields(
            case.versions.get(announced.detail["version_id"]), announced.detail["version_id"]
        ):
            yield key, f"announced a state that never existed: {fields}"
    for key, expected in case.expected.items():
        types = {
            (one.detail_type, one.detail.get("sha256")) for one in case.snapshot.announced if one.detail["key"] == key
        }
        if expected.content is not None:
            required: tuple[str, str | None] = (_TYPES[expected.end], digest(expected.content))
        elif any(name == "ImageReady" for name, _ in types):
            required = ("ImageRemoved", None)
        else:
            continue
        if required not in types:
            yield key, f"{required[0]} of its newest state was never announced"


def _repeatable_fields(announced: PublishedEvent) -> dict[str, object]:
    """Return the fields of an announcement that must be equal in repetitions."""
    details = {name: announced.detail.get(name) for name in ("version_id", "sha256", "code")}
    return {"type": announced.detail_type, **details}


def _expected_fields(content: Content | None, version_id: str) -> dict[str, object]:
    """Return the fields that an announcement of a version or deletion must have."""
    if content is None:
        return {"type": "ImageRemoved", "version_id": "", "sha256": None, "code": None}
    detail_type = _TYPES[ExpectedEnd.REFUSED if content.code else ExpectedEnd.READY]
    return {"type": detail_type, "version_id": version_id, "sha256": digest(content), "code": content.code or None}


_TYPES = {ExpectedEnd.READY: "ImageReady", ExpectedEnd.REFUSED: "ImageRefused"}


def _find_stuck(case: Case) -> _Found:
    for name, depth in case.snapshot.depths.items():
        if depth:
            yield name, f"is not empty: {depth} messages"


def _find_given_up(case: Case) -> _Found:
    bodies = [letter.body for letter in case.snapshot.dead]
    for letter in case.snapshot.dead:
        if _plain(letter.body) not in map(_plain, case.poison):
            yield letter.queue, f"was sent to the dead-letter queue: {letter.body[:400]} {as_text(letter.attributes)}"
    for message in case.poison:
        if _plain(message) not in map(_plain, bodies):
            yield message, "can never succeed, but is not in the dead-letter queue"


def _plain(body: str) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return body


def _find_strays(case: Case) -> _Found:
    for name in case.snapshot.media:
        if name != CURRENT and not name.startswith((MASTERS, DERIVATIVES)):
            yield name, "is left over in the media bucket"


INVARIANTS: Mapping[str, Callable[[Case], _Found]] = {
    "every upload is accounted for": _find_unaccounted,
    "no master is missing, half-written or outdated": _check_masters,
    "every derivative was made from its present master": _check_derivatives,
    "every master has its presets": _check_presets,
    "quarantine holds the refused uploads and nothing else": _check_quarantine,
    "one event is one announcement, though it may be repeated": _check_announcements,
    "nothing is stuck": _find_stuck,
    "only what cannot succeed was given up": _find_given_up,
    "nothing is left over": _find_strays,
}
