"""Whether anything was lost, torn, done twice or left over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from darkroom.aws.record import build_image_id, pad_sequencer
from darkroom.image_keys import decode_key, encode_key
from darkroom.plan.canonical import derivative_name
from darkroom.plan.presets import load_default_presets
from darkroom.services.live_settings import CURRENT

from .expected_state import ExpectedEnd, ExpectedState
from .image_oracle import digest, digest_image, expected_master, list_differences
from .pictures import Content
from .snapshot import PublishedEvent, Snapshot, Stored, as_text

MASTERS, DERIVATIVES = "masters/", "derivatives/"


@dataclass(frozen=True, slots=True)
class Case:
    """All there is to judge. ``poison`` are the messages that nobody can do anything with.

    ``uploaded`` has the contents of each key, ``versions`` that of each version id.
    """

    expected: Mapping[str, ExpectedState]
    uploaded: Mapping[str, tuple[Content, ...]]
    versions: Mapping[str, Content]
    evidence: Snapshot
    poison: tuple[str, ...]

    def master(self, key: str) -> Stored | None:
        """The master of ``key``."""
        return self.evidence.media.get(MASTERS + encode_key(key))


@dataclass(frozen=True, slots=True)
class Violation:
    """Something is not as it must be."""

    invariant: str
    about: str
    what: str


def check(case: Case) -> list[Violation]:
    """Every violation of every invariant."""
    return [Violation(name, about, what) for name, invariant in INVARIANTS.items() for about, what in invariant(case)]


type _Found = Iterator[tuple[str, str]]


def _accounted(case: Case) -> _Found:
    for key, expected in case.expected.items():
        record = case.evidence.records.get(key)
        if record is None:
            if expected.end is not ExpectedEnd.REMOVED:
                yield key, "is not in the index"
            continue
        for what in _misrecorded(expected, record, case.evidence.current.get(key, "")):
            yield key, what
    for key in case.evidence.records.keys() - case.expected.keys():
        yield key, "is in the index, though nobody uploaded it"


def _misrecorded(expected: ExpectedState, record: Mapping[str, Any], version_id: str) -> Iterator[str]:
    yield from list_differences("the state", record.get("state"), expected.end.value)
    if expected.content is None:
        return
    refusal = record.get("refusal", {})
    sha256 = refusal.get("sha256") if expected.end is ExpectedEnd.REFUSED else record.get("sha256")
    yield from list_differences("the sha256", sha256, digest(expected.content))
    yield from list_differences("the version", record.get("version_id"), version_id)
    if expected.end is ExpectedEnd.REFUSED:
        yield from list_differences("the code", refusal.get("code"), expected.content.code)


def _masters(case: Case) -> _Found:
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
        for what in _mismarked(case, key, found, contents):
            yield key, what
    for name in case.evidence.media:
        if name.startswith(MASTERS) and decode_key(name.removeprefix(MASTERS)) not in case.expected:
            yield name, "is a master that nobody uploaded"


def _mismarked(case: Case, key: str, master: Stored, contents: list[Content]) -> Iterator[str]:
    if digest_image(master.body) is None:
        yield "has a master that cannot be decoded"
    if master.metadata.get("sha256") not in {digest(content) for content in contents}:
        yield "has a master that bears another upload's sha256"
    if master.metadata.get("sequencer") not in {
        pad_sequencer(known) for known in case.evidence.sequencers.get(key, ())
    }:
        yield "has a master that bears the sequencer of no event"
    kept = case.evidence.records.get(key, {}).get("master", {})
    yield from list_differences("the master's etag in the index", kept.get("etag", "").strip('"'), master.etag)


def _derivatives(case: Case) -> _Found:
    for name, found in case.evidence.media.items():
        if not name.startswith(DERIVATIVES):
            continue
        key = decode_key(name.removeprefix(DERIVATIVES).rpartition("/_/")[0])
        master = case.master(key)
        if master is None:
            yield name, "is a derivative without a master"
        elif found.metadata.get("source-etag") != master.etag:
            yield name, f"was made from {found.metadata.get('source-etag')}, the master is {master.etag}"
        elif not name.endswith(".json") and (what := _misdrawn(found, master)):
            yield name, what


def _misdrawn(derivative: Stored, master: Stored) -> str:
    seen, wanted = digest_image(derivative.body), digest_image(master.body)
    if seen is None:
        return "cannot be decoded"
    return "" if wanted is None or seen.like(wanted) else f"shows another picture: {seen.mean}, not {wanted.mean}"


def _presets(case: Case) -> _Found:
    for key, expected in case.expected.items():
        if expected.end is not ExpectedEnd.READY:
            continue
        wanted = {derivative_name(plan) for plan in load_default_presets().build_ingest_plans(key).values()}
        recorded = set(case.evidence.records.get(key, {}).get("derivatives", ()))
        for what in list_differences("the list of derivatives in the index", sorted(recorded), sorted(wanted)):
            yield key, what
        for name in wanted:
            if DERIVATIVES + name not in case.evidence.media:
                yield name, "was not made at ingest"


def _quarantined(case: Case) -> _Found:
    refused = {
        key: {content.data: content.code for content in contents if content.code}
        for key, contents in case.uploaded.items()
    }
    for name, found in case.evidence.quarantine.items():
        code = refused.get(decode_key(name.rpartition("/_/")[0]), {}).get(found.body)
        if code is None:
            yield name, "is in quarantine, but is no refused upload"
        elif found.metadata.get("code") != code:
            yield name, f"is in quarantine for {found.metadata.get('code')!r}, not {code!r}"
    for key, expected in case.expected.items():
        if expected.end is not ExpectedEnd.REFUSED:
            continue
        place = case.evidence.records.get(key, {}).get("refusal", {}).get("quarantined")
        copy = case.evidence.quarantine.get(str(place))
        if copy is None or expected.content is None or copy.body != expected.content.data:
            yield key, f"was refused, but {place!r} in quarantine is not that upload"


def _announced(case: Case) -> _Found:
    told: dict[str, dict[str, object]] = {}
    for announced in case.evidence.announced:
        key, name = announced.detail["key"], announced.detail["id"]
        known = case.evidence.sequencers.get(key, ())
        if name not in {build_image_id(key, pad_sequencer(one), announced.detail["version_id"]) for one in known}:
            yield key, f"{announced.detail_type} has the id of no event: {name}"
        said = _said(announced)
        if told.setdefault(name, said) != said:
            yield key, f"one id, two announcements: {told[name]} and {said}"
        if said != _true(case.versions.get(announced.detail["version_id"]), announced.detail["version_id"]):
            yield key, f"announced what is not so: {said}"
    for key, expected in case.expected.items():
        types = {
            (one.detail_type, one.detail.get("sha256")) for one in case.evidence.announced if one.detail["key"] == key
        }
        if expected.content is not None:
            wanted: tuple[str, str | None] = (_TYPES[expected.end], digest(expected.content))
        elif any(name == "ImageReady" for name, _ in types):
            wanted = ("ImageRemoved", None)
        else:
            continue
        if wanted not in types:
            yield key, f"{wanted[0]} of its newest state was never announced"


def _said(announced: PublishedEvent) -> dict[str, object]:
    """What of an announcement may not change when it is repeated."""
    told = {name: announced.detail.get(name) for name in ("version_id", "sha256", "code")}
    return {"type": announced.detail_type, **told}


def _true(content: Content | None, version_id: str) -> dict[str, object]:
    """What an announcement has to say of a version, or of a deletion."""
    if content is None:
        return {"type": "ImageRemoved", "version_id": "", "sha256": None, "code": None}
    detail_type = _TYPES[ExpectedEnd.REFUSED if content.code else ExpectedEnd.READY]
    return {"type": detail_type, "version_id": version_id, "sha256": digest(content), "code": content.code or None}


_TYPES = {ExpectedEnd.READY: "ImageReady", ExpectedEnd.REFUSED: "ImageRefused"}


def _quiet(case: Case) -> _Found:
    for name, depth in case.evidence.depths.items():
        if depth.total:
            yield name, f"is not empty: {depth}"


def _given_up(case: Case) -> _Found:
    bodies = [letter.body for letter in case.evidence.dead]
    for letter in case.evidence.dead:
        if _plain(letter.body) not in map(_plain, case.poison):
            yield letter.queue, f"given up: {letter.body[:400]} {as_text(letter.attributes)}"
    for message in case.poison:
        if _plain(message) not in map(_plain, bodies):
            yield message, "can never succeed, but is not among the dead letters"


def _plain(body: str) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return body


def _strays(case: Case) -> _Found:
    for name in case.evidence.media:
        if name != CURRENT and not name.startswith((MASTERS, DERIVATIVES)):
            yield name, "is left over in the media bucket"


INVARIANTS: Mapping[str, Callable[[Case], _Found]] = {
    "every upload is accounted for": _accounted,
    "no master is missing, half-written or outdated": _masters,
    "every derivative was made from its present master": _derivatives,
    "every master has its presets": _presets,
    "quarantine holds the refused uploads and nothing else": _quarantined,
    "one event is one announcement, though it may be repeated": _announced,
    "nothing is stuck": _quiet,
    "only what cannot succeed was given up": _given_up,
    "nothing is left over": _strays,
}
