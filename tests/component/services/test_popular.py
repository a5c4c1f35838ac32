"""Find popular derivatives in the CDN's access logs and queue them for re-encoding, on MiniStack."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from multidict import CIMultiDict

from cloudfront_local.access_log import LogRecord, file_name
from cloudfront_local.log_delivery import LogDelivery
from cloudfront_local.messages import Request, Response
from cloudfront_local.model import Distribution
from darkroom.plan.forced_options import NOTHING_FORCED, ForcedOptions
from darkroom.plan.presets import Presets
from darkroom.services.caching import derivative_metadata
from darkroom.settings import parse_settings
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.operations.popular import service
from darkroom_pipeline.operations.popular.service import (
    FILE_TIME_S,
    LOOKUP_TIME_S,
    SETTLED_S,
    PopularityScan,
    ScanReport,
    Window,
)

from .emf_metrics import counted, of
from .functions import Context, load
from .purge_harness import lasting

_numbers = itertools.count(1)

HITS = 3
DISTRIBUTION = "E1ABC"
ASKED = "/trips/r.-C3B6m.jpg/_/h-333_w-333.auto-webp"
STORED = f"derivatives{ASKED}"


@dataclass
class PopularEnvironment:
    """A bucket of logs, a bucket of derivatives, and the re-encoding queue."""

    s3: Any
    sqs: Any
    logs: str
    media: str
    queue_url: str

    @classmethod
    def build(cls, environment: dict[str, str]) -> PopularEnvironment:
        number = next(_numbers)
        s3, sqs = create_client("s3", environment), create_client("sqs", environment)
        logs, media = f"popular-logs-{number}", f"popular-media-{number}"
        for bucket in (logs, media):
            s3.create_bucket(Bucket=bucket)
        delayed = {"DelaySeconds": "300"}  # for those that have only just been made
        url = sqs.create_queue(QueueName=f"popular-{number}", Attributes=delayed)["QueueUrl"]
        return cls(s3, sqs, logs, media, url)

    def service(self, always: ForcedOptions = NOTHING_FORCED, presets: Presets | None = None) -> PopularityScan:
        return PopularityScan(
            logs=S3Bucket(self.s3, self.logs),
            media=S3Bucket(self.s3, self.media),
            queue=Queue(self.sqs, self.queue_url),
            distribution_id=DISTRIBUTION,
            least_hits=HITS,
            observer=PowertoolsObserver("popular"),
            always=always,
            presets=presets,
        )

    def store(self, name: str, pace: str = "quick") -> None:
        metadata = derivative_metadata("etag") | ({"pace": pace} if pace else {})
        self.s3.put_object(Bucket=self.media, Key=name, Body=b"picture", Metadata=metadata)

    def visit(self, path: str, times: int = HITS, query: str | None = None, distribution: str = DISTRIBUTION) -> None:
        """The CDN delivers a file about ``times`` visits."""
        deployed = Distribution(distribution, "d1.cloudfront.net", (), log_bucket=self.logs)
        delivery = LogDelivery(self.s3, pytest.fail)
        for _ in range(times):
            answer = Response(200, CIMultiDict({"X-Cache": "Hit from cloudfront"}))
            request = Request("GET", path, query, client_ip="192.0.2.7")
            delivery.note(deployed, LogRecord(request, answer, deployed.domain, time.time(), 0.01))
        delivery.deliver(deployed)

    def run(self, always: ForcedOptions = NOTHING_FORCED) -> ScanReport:
        return self.service(always).run(now(), lasting)

    def messages(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = []
        while batch := self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages"):
            found += [json.loads(message["Body"]) for message in batch]
        return found


def now() -> Window:
    """An hour that ends a minute from now."""
    return Window(time.time() - 3_540, time.time() + 60)


@pytest.fixture
def env(aws: Callable[[str], Any], aws_environment: dict[str, str]) -> PopularEnvironment:
    return PopularEnvironment.build(aws_environment)


def test_a_derivative_that_is_requested_often_is_sent_once(env: PopularEnvironment) -> None:
    env.store(STORED)
    for _ in range(HITS):
        env.visit(ASKED, 1)
    assert env.run() == ScanReport(files=HITS, lines=HITS, popular=1, sent=1)
    assert env.messages() == [{"refine": STORED, "hits": HITS}]


def test_viewers_urls_count_together_for_the_variants_that_are_stored(env: PopularEnvironment) -> None:
    for name in ("h-333_w-333.auto-webp", "h-333_w-333.auto-avif", "h-500_w-500.auto-avif", "w-320.auto-avif"):
        env.store(f"derivatives/a.jpg/_/{name}")
    env.store("derivatives/b.jpg/_/h-333_w-333.auto-avif")
    env.visit("/a.jpg", 1, "w=333&h=333&s=x")
    env.visit("/a.jpg", 1, "h=333&w=333&exp=9&s=y")
    env.visit("/a.jpg", 1, "width=333&h=333")
    env.run()
    assert sorted(str(message["refine"]) for message in env.messages()) == [
        f"derivatives/a.jpg/_/{name}"
        for name in ("h-333_w-333.auto-avif", "h-333_w-333.auto-webp", "h-500_w-500.auto-avif")
    ]


def test_what_is_always_redacted_is_sent_as_it_is_stored(env: PopularEnvironment) -> None:
    env.store("derivatives/people/a.jpg/_/fv-1_redact-faces_w-333.auto-avif")
    env.visit("/people/a.jpg", query="w=333")
    assert env.run(ForcedOptions.parse("people/=faces")).sent == 1


def test_a_preset_that_only_the_settings_have_is_counted(env: PopularEnvironment) -> None:
    own = parse_settings({"presets": {"tile": {"w": 333, "h": 333}}}).presets
    env.store("derivatives/a.jpg/_/h-333_w-333.auto-webp")
    env.visit("/a.jpg", query="preset=tile")
    assert env.service(presets=own).run(now(), lasting).sent == 1
    assert env.messages() == [{"refine": "derivatives/a.jpg/_/h-333_w-333.auto-webp", "hits": HITS}]
    assert env.run().popular == 0, "the build has no such preset"


def test_requests_of_an_experiment_are_not_those_of_the_bare_image(env: PopularEnvironment) -> None:
    """CloudFront may log the viewer's URL, or that of the edge function, which keeps `exp`."""
    for name in ("a.jpg/_/h-2560_w-2560.auto-webp", "b.jpg/_/w-1280.webp"):
        env.store(f"derivatives/{name}")
    env.visit("/a.jpg", query="exp=hero")
    env.visit("/b.jpg/_/w-1280.webp", HITS - 1, "exp=hero")
    env.visit("/b.jpg/_/w-1280.webp", 1)
    env.run()
    assert env.messages() == [{"refine": "derivatives/b.jpg/_/w-1280.webp", "hits": HITS}]


@pytest.mark.parametrize(
    ("pace", "times", "sent"),
    [("quick", HITS, 1), ("", HITS, 1), ("thorough", HITS, 0), ("quick", HITS - 1, 0)],
)
def test_what_is_rare_or_thorough_is_left_alone(env: PopularEnvironment, pace: str, times: int, sent: int) -> None:
    env.store(STORED, pace)
    env.visit(ASKED, times)
    assert env.run().sent == sent
    assert len(env.messages()) == sent


def test_the_most_popular_are_checked_first_up_to_a_limit(
    env: PopularEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_LOOKUPS", 2)
    for width, times in ((101, HITS), (102, HITS + 2), (103, HITS + 1)):
        env.store(f"derivatives/a.jpg/_/w-{width}.webp")
        env.visit(f"/a.jpg/_/w-{width}.webp", times)
    assert env.run().popular == 2
    sent = {message["refine"]: message["hits"] for message in env.messages()}
    assert sent == {"derivatives/a.jpg/_/w-102.webp": HITS + 2, "derivatives/a.jpg/_/w-103.webp": HITS + 1}


def test_what_is_not_stored_any_more_is_left_alone(env: PopularEnvironment) -> None:
    env.visit(ASKED)
    env.visit("/gone.jpg", query="w=333")
    env.visit("/a.jpg", query="f=json")
    assert env.run() == ScanReport(files=3, lines=3 * HITS, popular=2, sent=0)


def test_a_repeated_run_sends_the_same_again(env: PopularEnvironment) -> None:
    env.store(STORED)
    env.visit(ASKED)
    first, again = env.run(), env.run()
    assert first == again
    assert env.messages() == 2 * [{"refine": STORED, "hits": HITS}]


def test_files_of_others_and_of_other_hours_are_not_read(env: PopularEnvironment) -> None:
    env.store(STORED)
    env.visit(ASKED, distribution="E1ABCD")
    env.visit(ASKED, HITS - 1)
    assert env.run() == ScanReport(files=1, lines=HITS - 1)
    over = Window(time.time() - 7_200, time.time() - 3_600)
    yet_to_come = Window(time.time() + 3_600, time.time() + 7_200)
    for window in (over, yet_to_come):
        assert env.service().run(window, lasting) == ScanReport()


def test_a_file_that_was_delivered_late_is_read_with_those_of_its_delivery(env: PopularEnvironment) -> None:
    env.store(STORED)
    env.visit(ASKED)
    [listed] = env.s3.list_objects_v2(Bucket=env.logs)["Contents"]
    body = env.s3.get_object(Bucket=env.logs, Key=listed["Key"])["Body"].read()
    env.s3.delete_object(Bucket=env.logs, Key=listed["Key"])
    late = file_name("", DISTRIBUTION, time.time() - 23 * 3_600, "0a")
    env.s3.put_object(Bucket=env.logs, Key=late, Body=body)
    assert env.run().sent == 1


@pytest.mark.parametrize("broken", [lambda body: b"no gzip", lambda body: body[:-9], lambda body: body[:40] + b"?" * 9])
def test_a_broken_file_hides_no_other(env: PopularEnvironment, broken: Callable[[bytes], bytes]) -> None:
    env.store(STORED)
    env.visit(ASKED, 5)
    [listed] = env.s3.list_objects_v2(Bucket=env.logs)["Contents"]
    body = env.s3.get_object(Bucket=env.logs, Key=listed["Key"])["Body"].read()
    env.s3.put_object(Bucket=env.logs, Key=f"{DISTRIBUTION}.2999-01-01-00.0a.gz", Body=broken(body))
    outcome = env.run()
    assert (outcome.files, outcome.files_unread, outcome.sent) == (1, 1, 1)


def test_time_that_runs_out_leaves_files_and_sends_what_is_known(env: PopularEnvironment) -> None:
    env.store(STORED)
    for _ in range(3):
        env.visit(ASKED)
    times = iter([900.0, 900.0, FILE_TIME_S - 1])
    outcome = env.service().run(now(), lambda: next(times, LOOKUP_TIME_S + 1))
    assert (outcome.files, outcome.files_left, outcome.sent) == (2, 1, 1)
    assert env.messages() == [{"refine": STORED, "hits": 2 * HITS}]
    assert env.service().run(now(), lambda: LOOKUP_TIME_S - 1) == ScanReport(files_left=3)


def test_the_function_reads_the_hour_before_its_event_and_reports(
    env: PopularEnvironment, aws_environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    env.store("derivatives/a.jpg/_/h-333_w-333.auto-webp")
    env.visit("/a.jpg", query="preset=tile")
    function = load(
        "popular",
        aws_environment
        | {
            "LOG_BUCKET": env.logs,
            "MEDIA_BUCKET": env.media,
            "REFINE_QUEUE_URL": env.queue_url,
            "DISTRIBUTION_ID": DISTRIBUTION,
            "POWERTOOLS_SERVICE_NAME": "popular",
            "POWERTOOLS_METRICS_NAMESPACE": "Darkroom/test",
        },
        {"refine_hits": HITS, "presets": {"tile": {"w": 333, "h": 333}}},
    )
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + SETTLED_S + 60))
    assert function.invoke({"time": ends}, Context())["sent"] == 1
    assert function.invoke({"time": "2020-01-01T00:00:00Z"})["files"] == 0
    figures = counted(capsys.readouterr().out)
    assert of(figures, "Popular") == {"": 1}
    assert of(figures, "LogLines") == {"": HITS}
    assert of(figures, "LogLinesUnread") == of(figures, "LogFilesUnread") == {"": 0}
    assert of(figures, "Requests") == {"": 2}
