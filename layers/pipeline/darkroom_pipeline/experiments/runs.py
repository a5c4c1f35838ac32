"""What is stored about the runs of experiments, in the media bucket below ``experiments/``.

Another definition of an experiment is another run (:attr:`Experiment.digest`). Each object has one writer:
``<name>-<digest>/counts.json`` and ``visitors`` the popular function, ``decision.json`` the monitor.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from darkroom.errors import Unavailable
from darkroom.plan.experiments import Experiment, assign_variant

from ..aws.s3 import S3Bucket
from .statistics import Bounds, Counts
from .visitors import VisitorSet

PREFIX = "experiments/"
JSON_TYPE = {"Content-Type": "application/json"}

SETTLING_S = 300.0
"""Time after a change of an experiment in which edge locations may have either version: visitors who move are not
counted."""

MAX_POINTS = 400
"""Points of the history; every second one is dropped when there are more."""


@dataclass(frozen=True, slots=True)
class Decision:
    """``preset`` was stopped at ``at_s``: ``better`` has more clicks. ``ratio`` bounds the ratio of their rates.

    The edge has the decision since ``applied_s`` at the latest, None if that is not known yet.
    """

    preset: str
    better: str
    at_s: float
    ratio: Bounds
    counts: Mapping[str, Counts]
    applied_s: float | None = None


@dataclass(frozen=True, slots=True)
class Decisions:
    """Decisions of a run, in order. ``done`` of them are carried out. ``etag`` is that of the object, "" if there is
    none."""

    made: tuple[Decision, ...] = ()
    done: int = 0
    etag: str = ""

    @property
    def stopped(self) -> tuple[str, ...]:
        """The stopped variants, in order."""
        return tuple(one.preset for one in self.made)

    def is_final(self, experiment: Experiment) -> bool:
        """Whether one variant is left, the winner."""
        return len(self.made) >= len(experiment.presets) - 1

    def find_variant(self, experiment: Experiment, visitor: str, at_s: float) -> str | None:
        """Return what ``visitor`` was shown at a time, None if it may be one of two."""
        settled_s = at_s - SETTLING_S
        decided = [one.preset for one in self.made if one.at_s <= at_s]
        settled = [one.preset for one in self.made if one.applied_s is not None and one.applied_s <= settled_s]
        found = {
            assign_variant(experiment.point, experiment.divide(stopped), visitor) for stopped in (decided, settled)
        }
        return found.pop() if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of a run since ``began_s``. ``requests`` are delivered images, ``refused`` beacons over a limit
    (and visitors for whom the set of the run had no room).

    ``history`` has the counts of all variants, in the order of the experiment, by time.
    """

    began_s: float
    updated_s: float
    counts: Mapping[str, Counts]
    requests: int = 0
    refused: int = 0
    history: Sequence[tuple[float, Sequence[Counts]]] = ()

    def with_counts(self, counts: Mapping[str, Counts], now_s: float, *, requests: int, refused: int) -> Tally:
        """Return the tally with new counts and a further point of the history."""
        history = [*self.history, (now_s, tuple(counts.values()))]
        if len(history) > MAX_POINTS:
            history = history[:-1][::2] + history[-1:]
        return replace(
            self,
            updated_s=now_s,
            counts=counts,
            requests=self.requests + requests,
            refused=self.refused + refused,
            history=history,
        )


@dataclass(frozen=True)
class RunStore:
    """The objects in the bucket ``media``. Raises Unavailable, and ObjectChanged if another writer was faster."""

    media: S3Bucket

    def read_decisions(self, experiment: Experiment) -> Decisions:
        """Read the decisions of the experiment's run."""
        return self._read(experiment, "decision.json", _parse_decisions) or Decisions()

    def read_stopped(self, experiments: Iterable[Experiment]) -> Mapping[str, Sequence[str]]:
        """Read the variants that the monitor stopped, by experiment."""
        return {one.name: self.read_decisions(one).stopped for one in experiments}

    def write_decisions(self, experiment: Experiment, decisions: Decisions) -> Decisions:
        """Replace the decisions; return them with their new entity tag."""
        made = [asdict(one) for one in decisions.made]
        etag = self._write(experiment, "decision.json", {"made": made, "done": decisions.done}, decisions.etag)
        return replace(decisions, etag=etag)

    def read_tally(self, experiment: Experiment) -> Tally | None:
        """Read the counts; None before the first access log was read."""
        return self._read(experiment, "counts.json", _parse_tally)

    def write_tally(self, experiment: Experiment, tally: Tally) -> None:
        """Write the counts. They are those of the visitors, so that no condition is needed."""
        self._write(experiment, "counts.json", asdict(tally), None)

    def read_visitors(self, experiment: Experiment) -> VisitorSet:
        """Read the visitors of the experiment's run."""
        found = self.media.open(_key(experiment, "visitors"))
        if found is None:
            return VisitorSet()
        with found.body as body:
            return VisitorSet.from_bytes(body.read(), found.head.etag)

    def forget_visitors(self, experiment: Experiment) -> None:
        """Remove the visitors of a run that is over."""
        if (known := self.media.head(_key(experiment, "visitors"))) is not None:
            self.media.delete(known.key)

    def write_visitors(self, experiment: Experiment, visitors: VisitorSet) -> None:
        """Replace the visitors that were read."""
        self.media.put(
            _key(experiment, "visitors"), visitors.to_bytes(), headers={}, metadata={}, replaces=visitors.etag
        )

    def _read[T](self, experiment: Experiment, name: str, parse: Callable[[Any, str], T]) -> T | None:
        key = _key(experiment, name)
        found = self.media.open(key)
        if found is None:
            return None
        with found.body as body:
            text = body.read()
        try:
            return parse(json.loads(text), found.head.etag)
        except (ValueError, TypeError, KeyError) as error:
            raise Unavailable(detail=f"{key} is damaged: {error!r}") from error

    def _write(self, experiment: Experiment, name: str, document: object, replaces: str | None) -> str:
        body = json.dumps(document, separators=(",", ":")).encode()
        return self.media.put(_key(experiment, name), body, headers=JSON_TYPE, metadata={}, replaces=replaces)


def _key(experiment: Experiment, name: str) -> str:
    return f"{PREFIX}{experiment.name}-{experiment.digest}/{name}"


def _parse_counts(found: Mapping[str, Any]) -> dict[str, Counts]:
    return {str(preset): Counts(**count) for preset, count in found.items()}


def _parse_decisions(found: Any, etag: str) -> Decisions:
    made = tuple(
        Decision(
            str(one["preset"]),
            str(one["better"]),
            float(one["at_s"]),
            Bounds(**one["ratio"]),
            _parse_counts(one["counts"]),
            one.get("applied_s", one["at_s"]),  # earlier versions did not store it
        )
        for one in found["made"]
    )
    return Decisions(made, int(found["done"]), etag)


def _parse_tally(found: Any, _etag: str) -> Tally:
    history = [(float(at_s), tuple(Counts(**one) for one in counts)) for at_s, counts in found["history"]]
    return Tally(
        float(found["began_s"]),
        float(found["updated_s"]),
        _parse_counts(found["counts"]),
        int(found["requests"]),
        int(found["refused"]),
        history,
    )
