"""Other pictures come than before: dark ones, tiny ones, in other formats."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from darkroom.aws.cloudwatch import MetricStat
from darkroom.mlops.sample import Sample
from darkroom.mlops.sample_store import SLOTS, SampleStore

from .. import synthetic_samples
from ..environment import NAMESPACE
from ..pictures import SHIFTED, USUAL, draw_image
from ..scenario_run import Phase, ScenarioRun, Shown
from ..wait_for import require, wait_until

ALARM = "drift"
LIMIT = 0.2
WHOLE_WAY = 24
"""Shifted pictures that are uploaded and go by ingest and the endpoint; the manifest is about them."""

TOLD_WITHIN_S, RINGS_WITHIN_S, OVER_WITHIN_S, SEEN_WITHIN_S = 200.0, 240.0, 600.0, 240.0
WRITERS = 4
_OF = {"service": "monitor", "function": "monitor"}
FEATURES = ("brightness", "pixels", "format", "confidence-moderation", "embedding")

BASELINE, OTHERS, CHANGED = (USUAL, "baseline"), (USUAL, "others"), (SHIFTED, "shifted")
"""Kinds and seeds."""


class Drift:
    """A thousand pictures like those of the baseline change nothing; a thousand others ring."""

    name = "drift"
    title = "The pictures change"
    after: tuple[tuple[str, Phase], ...] = ()
    shown = (
        Shown(
            "Population stability index by feature",
            "PSI",
            {one: MetricStat(NAMESPACE, "DriftPsi", _OF | {"feature": one}, "Maximum") for one in FEATURES},
            LIMIT,
        ),
    )

    def __init__(self) -> None:
        """The pictures begin to be looked at, which takes minutes where that has not been done before."""
        self._own: list[str] = []
        self._looking = ThreadPoolExecutor(1).submit(_look_at_all)

    def prepare(self, play: ScenarioRun) -> None:
        """The monitor makes its baseline of a thousand pictures; a thousand others of their kind follow."""
        self._looking.result()
        self._fill(play, synthetic_samples.make_samples(*BASELINE, SLOTS, time.time()))
        wait_until(lambda: self._documents(play, "watch/baseline.json"), "the monitor makes a baseline", TOLD_WITHIN_S)
        play.mark("note", f"the monitor has a baseline of {SLOTS} pictures")
        others = synthetic_samples.make_samples(*OTHERS, SLOTS, time.time())
        self._fill(play, others)
        self._told(play)
        psi = self._largest(play)
        play.mark("note", f"{SLOTS} other pictures of the same kind: PSI {psi:.3f}")
        play.fact(f"largest PSI of {SLOTS} unshifted pictures with other seeds", f"{psi:.3f}")
        require(psi <= LIMIT and not play.ringing(ALARM), f"pictures of the same kind count as drift: PSI {psi:.3f}")

    def break_(self, play: ScenarioRun) -> None:
        """Some pictures go the whole way, and the rest is put where their samples would be."""
        for number in range(WHOLE_WAY):
            picture = draw_image(SHIFTED, "whole-way", number)
            self._own.append(f"gameday/shifted-{int(play.begun_s)}-{number}.{picture.suffix}")
            play.world.upload(self._own[-1], picture.body)
        wait_until(lambda: self._seen(play), "the uploaded pictures have been looked at", SEEN_WITHIN_S)
        own = [one for one in play.world.samples.recent() if one.key in self._own]
        play.fact("samples of pictures that went the whole way", f"{len(own)} of {WHOLE_WAY}")
        shifted = synthetic_samples.make_samples(*CHANGED, SLOTS, time.time())
        play.mark("break", "dark, tiny and other pictures come")
        self._fill(play, [*own, *shifted][:SLOTS])

    def expect(self, play: ScenarioRun) -> None:
        """The alarm rings, and there is a manifest."""
        play.rings(ALARM, RINGS_WITHIN_S)
        play.fact("largest PSI of shifted pictures", f"{self._largest(play):.3f}")
        told = wait_until(lambda: self._documents(play, "watch/manifests/"), "there is a manifest", TOLD_WITHIN_S)
        wait_until(
            lambda: any(name.endswith("drift.json") for name in self._documents(play, "watch/manifests/")), "", 60
        )
        pictures = [line for name in told if name.endswith(".manifest") for line in self._read(play, name)]
        about = {line["source-ref"].partition("/masters/")[2] for line in pictures}
        play.fact("pictures in the manifest", f"{len(about)}, {len(about & set(self._own))} of them just uploaded")
        require(about & set(self._own), "the manifest has none of the pictures that were uploaded")

    def clear(self, play: ScenarioRun) -> None:
        """As the runbook says of other pictures about which the model is right: a new baseline."""
        play.world.invoke("MonitorFunction", {"watch": ["baseline"]})
        play.mark("clear", "they are the new baseline")

    def verify(self, play: ScenarioRun) -> None:
        """The alarm is over."""
        play.quiet(ALARM, OVER_WITHIN_S)
        play.fact("largest PSI against the new baseline", f"{self._largest(play):.3f}")
        require(play.noted("decision", "baseline"), "the audit log does not know of the baseline")

    def _fill(self, play: ScenarioRun, samples: list[Sample]) -> None:
        """Have these in all slots."""
        slots = count()
        there = SampleStore(play.world.cloud.dynamodb, play.world.facts["index_table"], choose=lambda _: next(slots))
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(there.put, samples))

    def _told(self, play: ScenarioRun) -> None:
        """Wait for a look of the monitor that began after now."""
        since_s = time.time()
        wait_until(lambda: self._looks(play, since_s), "the monitor looks at drift", TOLD_WITHIN_S)

    @staticmethod
    def _looks(play: ScenarioRun, since_s: float) -> bool:
        """Whether there is a figure of a whole minute after ``since_s``: that in which it lies may be older."""
        [points] = play.world.minutes(
            [MetricStat(NAMESPACE, "DriftPsi", _OF, "Maximum")], since_s + 60, time.time() + 60
        )
        return bool(points)

    @staticmethod
    def _largest(play: ScenarioRun) -> float:
        """The newest figure."""
        now_s = time.time()
        [points] = play.world.minutes([MetricStat(NAMESPACE, "DriftPsi", _OF, "Maximum")], now_s - 600, now_s + 60)
        return points[-1][1] if points else 0.0

    def _seen(self, play: ScenarioRun) -> bool:
        return all(play.world.findings(key) for key in self._own)

    @staticmethod
    def _documents(play: ScenarioRun, prefix: str) -> list[str]:
        found = play.world.cloud.s3.list_objects_v2(Bucket=play.world.facts["media_bucket"], Prefix=prefix)
        return [one["Key"] for one in found.get("Contents", [])]

    @staticmethod
    def _read(play: ScenarioRun, name: str) -> list[dict[str, str]]:
        body = play.world.cloud.s3.get_object(Bucket=play.world.facts["media_bucket"], Key=name)["Body"].read()
        return [json.loads(line) for line in body.splitlines()]


def _look_at_all() -> None:
    """Have all samples, so that they need only be read."""
    for kind, seed in (BASELINE, OTHERS, CHANGED):
        synthetic_samples.make_samples(kind, seed, SLOTS, 0.0)
