"""The endpoint does not answer: its container is one that does not start."""

from __future__ import annotations

import json
import time

from darkroom.aws.cloudwatch import MetricStat
from darkroom.aws.switches import FALLBACK
from local.paths import ENDPOINT

from ..environment import NAMESPACE
from ..pictures import USUAL, draw_image
from ..runbook import run_runbook
from ..scenario_run import Phase, ScenarioRun, Shown
from ..wait_for import require, wait_until

ALARM = "breaker-open"
DEAD = "http://127.0.0.1:9"
"""Where nothing listens: the port of the discard service."""

RINGS_WITHIN_S, OVER_WITHIN_S, SEEN_WITHIN_S = 300.0, 540.0, 180.0
PICTURES = 40
PAUSE_S = 3.0
_OF = {"service": "infer", "function": "infer"}
_VARIANT = {"EndpointName": ENDPOINT, "VariantName": "main"}


class DeadEndpoint:
    """The breaker opens, small models stand in, and pictures are looked at again when the endpoint is back."""

    name = "endpoint"
    title = "The endpoint is down"
    after: tuple[tuple[str, Phase], ...] = ()
    shown = (
        Shown(
            "Calls of the endpoint",
            "a minute",
            {name: MetricStat("AWS/SageMaker", name, _VARIANT) for name in ("Invocations", "Invocation5XXErrors")},
        ),
        Shown(
            "Pictures that small models looked at",
            "a minute",
            {name: MetricStat(NAMESPACE, name, _OF) for name in ("Fallback", "BreakerOpen")},
        ),
    )

    def __init__(self) -> None:
        self._container = ""
        self._keys: list[str] = []

    def prepare(self, play: ScenarioRun) -> None:
        """A picture is looked at by the endpoint."""
        self._upload(play)
        wait_until(
            lambda: self._by(play, self._keys[0]) == {"endpoint"}, "the endpoint looks at a picture", SEEN_WITHIN_S
        )

    def break_(self, play: ScenarioRun) -> None:
        """Deploy a container that nobody can connect to."""
        main = play.world.variants()["main"]
        self._container = str(main["url"])
        play.world.weigh({"main": {"weight": main["weight"], "url": DEAD}})
        play.mark("break", "the endpoint's container takes no connections")

    def expect(self, play: ScenarioRun) -> None:
        """Uploads go on; small models look at them, and the alarm rings."""
        deadline_s = time.monotonic() + RINGS_WITHIN_S
        while not play.ringing(ALARM) and time.monotonic() < deadline_s:
            if len(self._keys) < PICTURES:
                self._upload(play)
            time.sleep(PAUSE_S)
        play.rings(ALARM, 1)
        stood_in = wait_until(lambda: self._stood_in(play), "small models stand in", SEEN_WITHIN_S)
        play.fact("pictures that small models had looked at by then", len(stood_in))

    def clear(self, play: ScenarioRun) -> None:
        """The container that worked, and, as the runbook says, the breaker closed and one picture first."""
        if not self._container:
            return
        play.world.weigh({"main": {"weight": 1.0, "url": self._container}})
        play.mark("clear", "the container that worked is back")
        first = self._keys[-1]
        filled = {"key=trips/rome.jpg": f"key={first}"}
        self._leave_alone_no_more(play)
        run_runbook(play.world, "model-down", "breaker#endpoint", "send-message", filled=filled)
        wait_until(lambda: self._by(play, first) == {"endpoint"}, "one picture is looked at again", SEEN_WITHIN_S)

    def verify(self, play: ScenarioRun) -> None:
        """Later uploads are looked at by the endpoint, nothing was lost, and the alarm is over."""
        self._upload(play)
        wait_until(
            lambda: self._by(play, self._keys[-1]) == {"endpoint"}, "the endpoint looks at pictures", SEEN_WITHIN_S
        )
        play.quiet(ALARM, OVER_WITHIN_S)
        unseen = [key for key in self._keys if not play.world.findings(key)]
        require(not unseen, f"nobody has looked at {unseen}")
        play.fact("pictures uploaded", len(self._keys))
        play.fact("of these nobody has looked at", len(unseen))
        dead = play.world.cloud.queues.get_queue_attributes(
            QueueUrl=play.world.facts["queues"]["infer_dead_letters"], AttributeNames=["All"]
        )["Attributes"]["ApproximateNumberOfMessages"]
        play.fact("dead letters", dead)
        play.fact("the switch fallback", json.dumps(play.world.switch(FALLBACK).to_document()))

    def _leave_alone_no_more(self, play: ScenarioRun) -> None:
        """If the monitor had small models stand in, it ends that when the endpoint answers."""
        if not play.world.switch(FALLBACK).is_on_at(time.time()):
            return
        play.mark("note", "the monitor had switched fallback on")
        wait_until(
            lambda: not play.world.switch(FALLBACK).is_on_at(time.time()), "the monitor ends fallback", SEEN_WITHIN_S
        )
        play.mark("note", "the monitor has switched fallback off")
        time.sleep(20)  # functions read switches every 15 s

    def _upload(self, play: ScenarioRun) -> None:
        picture = draw_image(USUAL, "endpoint", len(self._keys))
        self._keys.append(f"gameday/endpoint-{int(play.begun_s)}-{len(self._keys)}.{picture.suffix}")
        play.world.upload(self._keys[-1], picture.body)

    def _stood_in(self, play: ScenarioRun) -> list[str]:
        return [key for key in self._keys if self._by(play, key) == {"fallback"}]

    @staticmethod
    def _by(play: ScenarioRun, key: str) -> set[str]:
        return {str(found["by"]) for found in play.world.findings(key).values()}
