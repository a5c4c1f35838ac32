"""Experiments on MiniStack, from access logs to decisions: visitors, clicks, limits, the edge's entry, event, audit."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from multidict import CIMultiDict

from cloudfront_local.access_log import LogRecord
from cloudfront_local.log_delivery import LogDelivery
from cloudfront_local.messages import Request, Response
from cloudfront_local.model import Distribution
from darkroom.errors import ObjectChanged, Unavailable
from darkroom.plan.experiments import BEACON, Experiment, assign_variant
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.edge_store import connect_edge_store
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.experiments.check import ExperimentCheck
from darkroom_pipeline.experiments.rules import Policy
from darkroom_pipeline.experiments.runs import JSON_TYPE, PREFIX, SETTLING_S, Decisions, RunStore, Tally
from darkroom_pipeline.experiments.scan import EARLY_CLICK_S, MAX_VISITORS_PER_ADDRESS, ExperimentScan, mask_address
from darkroom_pipeline.experiments.statistics import Counts
from darkroom_pipeline.operations.popular.service import Window
from tests.announcements import complaints
from tests.component.services.emf_metrics import counted, of

from .monitor.environment import MonitorEnvironment
from .purge_harness import lasting

HERO = Experiment("hero", (("wide", 1), ("tall", 1)))
THREE = Experiment("three", (("a", 1), ("b", 1), ("c", 1)))
POLICY = Policy(98, 1_000)
DISTRIBUTION = "E1EXP"
_numbers = itertools.count(1)


@dataclass
class Experiments:
    """A stack with logs, a media bucket, a key-value store, an audit log and a bus."""

    stage: MonitorEnvironment
    s3: Any
    logs: str
    arn: str
    environment: dict[str, str]

    @property
    def runs(self) -> RunStore:
        return RunStore(self.stage.env.vault("media"))

    @property
    def entries(self) -> dict[str, str]:
        return dict(connect_edge_store(self.arn, self.environment).read())

    def deliver(self, *requests: Request, status: int = 204, ago_s: float = 0) -> None:
        """The CDN delivers a file about ``requests``."""
        deployed = Distribution(DISTRIBUTION, "d1.cloudfront.net", (), log_bucket=self.logs)
        delivery = LogDelivery(self.s3, pytest.fail)
        for request in requests:
            answer = Response(status, CIMultiDict({"X-Cache": "FunctionGeneratedResponse from cloudfront"}))
            delivery.note(deployed, LogRecord(request, answer, deployed.domain, time.time() - ago_s, 0.01))
        delivery.deliver(deployed)

    def scan(self, *experiments: Experiment, applied_s: float = 0, later_s: float = 0) -> Any:
        scan = ExperimentScan(
            S3Bucket(self.s3, self.logs),
            self.runs,
            DISTRIBUTION,
            experiments or (HERO,),
            lambda: applied_s,
            self.stage.observer,
        )
        return scan.run(Window(time.time() - 3_540, time.time() + 60), lasting, time.time() + later_s)

    def begin_window(self) -> None:
        """The next scan reads only files that are delivered from now on."""
        logs = S3Bucket(self.s3, self.logs)
        for page in logs.list_pages():
            logs.delete_many(page)

    def check(self, *experiments: Experiment, **changes: Any) -> ExperimentCheck:
        made = ExperimentCheck(
            self.runs,
            connect_edge_store(self.arn, self.environment),
            self.stage.audit,
            self.stage.bus,
            self.stage.observer,
            experiments or (HERO,),
            POLICY,
        )
        return replace(made, **changes)

    def count(self, experiment: Experiment, *counts: tuple[int, int]) -> None:
        """The popular function has counted visitors and clicks of each variant."""
        found = {preset: Counts(*pair) for preset, pair in zip(experiment.presets, counts, strict=True)}
        self.runs.write_tally(experiment, Tally(0, 1, found))


@pytest.fixture
def env(aws: Callable[[str], Any], aws_environment: dict[str, str], stack: MonitorEnvironment) -> Iterator[Experiments]:
    number = next(_numbers)
    s3, logs = create_client("s3", aws_environment), f"experiment-logs-{number}"
    s3.create_bucket(Bucket=logs)
    store = aws("cloudfront").create_key_value_store(Name=f"experiments-{number}")["KeyValueStore"]["ARN"]
    yield Experiments(stack, s3, logs, store, aws_environment)


@pytest.fixture
def stack(aws: Callable[[str], Any]) -> MonitorEnvironment:
    return MonitorEnvironment.build(aws)


def beacon(event: str, visitor: str, experiment: str = "hero", address: str = "") -> Request:
    query = f"event={event}&exp={experiment}&visitor={visitor}"
    return Request("GET", BEACON, query, client_ip=address or f"192.0.2.{sum(visitor.encode()) % 250}")


def visitors_of(variant: str, count: int, experiment: Experiment = HERO) -> list[str]:
    names = (f"{variant}-{number}" for number in itertools.count())
    shares = experiment.divide()
    return list(itertools.islice((n for n in names if assign_variant(experiment.point, shares, n) == variant), count))


def tally(env: Experiments, experiment: Experiment = HERO) -> dict[str, tuple[int, int]]:
    found = env.runs.read_tally(experiment)
    assert found is not None
    return {preset: (count.visitors, count.clicks) for preset, count in found.counts.items()}


def test_visitors_and_their_clicks_are_counted_once(env: Experiments) -> None:
    wide, tall = visitors_of("wide", 3), visitors_of("tall", 2)
    env.deliver(*(beacon("view", visitor) for visitor in [*wide, *tall, *wide]))
    env.deliver(beacon("click", wide[0]), beacon("click", wide[0]), beacon("click", tall[1]))
    env.deliver(beacon("click", "never-seen"), beacon("view", "other", "unknown"))
    found = env.scan()
    assert found["hero"]["counts"] == {"wide": [3, 1], "tall": [2, 1]}
    assert env.scan() == found, "reading the same files again changes nothing"
    env.deliver(beacon("click", wide[0]), beacon("click", wide[1]))
    env.scan()
    assert tally(env) == {"wide": (3, 2), "tall": (2, 1)}


def test_only_answered_beacons_count(env: Experiments) -> None:
    visitor = visitors_of("wide", 1)[0]
    env.deliver(beacon("view", visitor), status=403)
    env.deliver(Request("HEAD", BEACON, f"event=view&exp=hero&visitor={visitor}"))
    env.deliver(
        beacon("sale", visitor), beacon("view", "a%20b"), Request("GET", "/a.jpg", f"exp=hero&visitor={visitor}")
    )
    env.scan()
    assert tally(env) == {"wide": (0, 0), "tall": (0, 0)}


def test_delivered_images_are_counted_as_requests(env: Experiments) -> None:
    env.deliver(Request("GET", "/a.jpg", "exp=hero"), Request("GET", "/b.jpg", "exp=hero"), status=200)
    env.deliver(Request("GET", "/a.jpg", "exp=1800000000&s=x"), Request("GET", "/a.jpg", "w=320"), status=200)
    env.deliver(Request("GET", "/a.jpg", "exp=hero"), status=404)
    assert env.scan()["hero"]["requests"] == 2


def test_one_address_adds_a_bounded_number_of_visitors(env: Experiments) -> None:
    invented = [f"v{number}" for number in range(3 * MAX_VISITORS_PER_ADDRESS)]
    for event in ("view", "click"):
        env.deliver(*(beacon(event, visitor, address="198.51.100.1") for visitor in invented))
    found = env.scan()["hero"]
    assert sum(visitors for visitors, _ in found["counts"].values()) == MAX_VISITORS_PER_ADDRESS
    assert found["refused"] == 4 * MAX_VISITORS_PER_ADDRESS


def test_addresses_of_an_ipv6_network_add_no_more_than_one(env: Experiments) -> None:
    def view(count: int, network: str) -> list[Request]:
        return [beacon("view", f"{network[9]}{n}", address=f"{network}:{n:x}::7") for n in range(count)]

    env.deliver(*view(2 * MAX_VISITORS_PER_ADDRESS, "2001:db8:a:1"), *view(3, "2001:db8:b:1"))
    found = env.scan()["hero"]
    assert sum(visitors for visitors, _ in found["counts"].values()) == MAX_VISITORS_PER_ADDRESS + 3
    assert found["refused"] == MAX_VISITORS_PER_ADDRESS


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:0:1:ffff::7", "2001:db8:0:1::"),
        ("2001:DB8:0:2::7", "2001:db8:0:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("-", "-"),
        ("", ""),
    ],
)
def test_an_ipv6_address_is_masked_to_its_network(address: str, masked: str) -> None:
    assert mask_address(address) == masked


def test_requests_before_the_settings_are_of_another_definition(env: Experiments) -> None:
    visitor = visitors_of("wide", 1)[0]
    env.deliver(beacon("view", visitor))
    env.scan(applied_s=time.time() - SETTLING_S + 60)
    assert tally(env) == {"wide": (0, 0), "tall": (0, 0)}


def test_visitors_who_may_have_seen_two_variants_are_not_counted(env: Experiments) -> None:
    moved, stayed = visitors_of("b", 1, THREE)[0], visitors_of("a", 1, THREE)[0]
    env.count(THREE, (20_000, 2_000), (20_000, 500), (20_000, 2_000))
    env.check(THREE).run(time.time() - 5)  # logs have whole seconds
    env.deliver(*(beacon("view", visitor, "three") for visitor in (moved, stayed)))
    env.scan(THREE)
    assert tally(env, THREE) == {"a": (1, 0), "b": (0, 0), "c": (0, 0)}


def test_a_click_counts_for_the_variant_that_was_seen(env: Experiments) -> None:
    moved = visitors_of("b", 1, THREE)[0]
    env.deliver(beacon("view", moved, "three"), ago_s=2 * SETTLING_S)
    env.scan(THREE)
    env.count(THREE, (20_000, 2_000), (20_000, 500), (20_000, 2_000))
    env.check(THREE).run(time.time() - 2 * SETTLING_S + 60)
    env.deliver(beacon("click", moved, "three"))
    env.scan(THREE)
    assert tally(env, THREE)["b"] == (1, 0)


def test_a_click_counts_whose_log_file_is_read_before_that_with_the_view(env: Experiments) -> None:
    wide, tall = visitors_of("wide", 2), visitors_of("tall", 1)
    env.deliver(*(beacon("click", visitor) for visitor in (*wide, *tall)))
    env.scan()
    env.scan()
    assert tally(env) == {"wide": (0, 0), "tall": (0, 0)}
    env.begin_window()
    env.deliver(beacon("view", wide[0]), beacon("view", tall[0]))
    env.scan(later_s=EARLY_CLICK_S - 60)
    assert tally(env) == {"wide": (1, 1), "tall": (1, 1)}
    env.begin_window()
    env.deliver(beacon("view", wide[1]))
    env.scan(later_s=EARLY_CLICK_S + 60)
    assert tally(env) == {"wide": (2, 1), "tall": (1, 1)}, "no log file is delivered so late"
    assert env.runs.read_visitors(HERO).early_clicks == {}


def test_visitors_between_a_decision_and_its_late_execution_are_not_counted(env: Experiments) -> None:
    early, late = visitors_of("b", 2, THREE)
    env.count(THREE, (20_000, 2_000), (20_000, 500), (20_000, 2_000))
    missing = connect_edge_store(f"{env.arn}-missing", env.environment)
    with pytest.raises(Unavailable):
        env.check(THREE, edge=missing).run(time.time() - 5 * SETTLING_S)
    env.deliver(beacon("view", early, "three"), ago_s=3 * SETTLING_S)
    env.scan(THREE)
    assert sum(visitors for visitors, _ in tally(env, THREE).values()) == 0, "the edge may not have the decision yet"
    env.count(THREE, (20_000, 2_000), (20_000, 500), (20_000, 2_000))
    env.check(THREE).run(time.time() - 2 * SETTLING_S)
    env.deliver(beacon("view", late, "three"))
    env.scan(THREE)
    assert [visitors for visitors, _ in tally(env, THREE).values()] in ([1, 0, 0], [0, 0, 1])


def test_decisions_of_earlier_versions_were_applied_when_they_were_made(env: Experiments) -> None:
    made = {"preset": "b", "better": "a", "at_s": 7.0, "ratio": {"low": 0.5, "high": 0.9}, "counts": {}}
    body = json.dumps({"made": [made], "done": 1}).encode()
    env.stage.env.vault("media").put(
        f"{PREFIX}three-{THREE.digest}/decision.json", body, headers=JSON_TYPE, metadata={}
    )
    [decision] = env.runs.read_decisions(THREE).made
    assert decision.applied_s == decision.at_s == 7.0


def test_two_scans_at_once_lose_nothing(env: Experiments) -> None:
    first, second = env.runs.read_visitors(HERO), env.runs.read_visitors(HERO)
    first.add(1, 0)
    env.runs.write_visitors(HERO, first)
    second.add(2, 0)
    with pytest.raises(ObjectChanged):
        env.runs.write_visitors(HERO, second)


def test_the_better_variant_is_promoted(env: Experiments, capsys: pytest.CaptureFixture[str]) -> None:
    env.count(HERO, (20_000, 1_000), (20_000, 1_300))
    check = env.check()
    found = check.run(env.stage.now_s)
    check.observer.flush()
    assert found["hero"] == {"run": HERO.digest, "stopped": ["wide"], "winner": "tall"}
    assert env.entries == {"exp-hero": HERO.format_entry(["wide"])}
    [(detail_type, detail)] = env.stage.env.published()
    assert (detail_type, complaints(detail_type, detail)) == ("ExperimentDecided", [])
    assert (detail["action"], detail["winner"], detail["control"]) == ("promote", "tall", "wide")
    [entry] = env.stage.audit.list_newest(10)
    assert (entry["kind"], entry["subject"], entry["by"]) == ("decision", "experiment:hero", "monitor")
    assert entry["facts"]["winner"] == "tall"
    assert "fewer clicks per visitor than tall" in entry["facts"]["reason"]
    assert of(counted(capsys.readouterr().out), "ExperimentDecided") == {"": 1}
    assert check.run(env.stage.now_s)["hero"]["winner"] == "tall"
    assert len(env.stage.audit.list_newest(10)) == 1, "a decision is made once"


def test_of_three_the_worst_is_stopped_first(env: Experiments) -> None:
    env.count(THREE, (20_000, 1_300), (20_000, 800), (20_000, 1_310))
    assert env.check(THREE).run(env.stage.now_s)["three"]["stopped"] == ["b"]
    assert env.entries["exp-three"] == THREE.format_entry(["b"])
    [(_, detail)] = env.stage.env.published()
    assert (detail["action"], detail["stopped"], detail["winner"]) == ("stop", "b", "")


@pytest.mark.parametrize(
    "counts", [((20_000, 1_000), (20_000, 1_020)), ((900, 10), (900, 90)), ((20_000, 1), (15_000, 900))]
)
def test_without_enough_visitors_nothing_is_decided(env: Experiments, counts: Sequence[tuple[int, int]]) -> None:
    env.count(HERO, *counts)
    found = env.check().run(env.stage.now_s)["hero"]
    assert (found["stopped"], found["mismatched"]) == ([], counts[1][0] == 15_000)
    assert env.entries == {}


def test_a_report_decides_nothing(env: Experiments) -> None:
    env.count(HERO, (20_000, 1_000), (20_000, 1_300))
    assert env.check(reports=True).run(env.stage.now_s)["hero"]["clicks"] == 2_300
    assert env.runs.read_decisions(HERO) == Decisions()


def test_an_interrupted_decision_is_completed(env: Experiments) -> None:
    env.count(HERO, (20_000, 1_000), (20_000, 1_300))
    missing = connect_edge_store(f"{env.arn}-missing", env.environment)
    with pytest.raises(Unavailable):
        env.check(edge=missing).run(env.stage.now_s)
    assert env.stage.audit.list_newest(10) == []
    assert env.check().run(env.stage.now_s)["hero"]["winner"] == "tall"
    assert env.entries == {"exp-hero": HERO.format_entry(["wide"])}
    assert len(env.stage.env.published()) == 1


def test_visitors_of_a_decided_run_are_removed(env: Experiments) -> None:
    env.deliver(beacon("view", visitors_of("wide", 1)[0]))
    env.scan()
    assert len(env.runs.read_visitors(HERO)) == 1
    env.count(HERO, (20_000, 1_000), (20_000, 1_300))
    env.check().run(env.stage.now_s)
    assert env.scan() == {}
    assert len(env.runs.read_visitors(HERO)) == 0
