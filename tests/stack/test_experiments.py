"""An experiment on the running stack: assignment at the edge, counting in access logs, and the monitor's decision."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli import local_stack
from cli.main import main
from cli.settings.stacks import open_local_target
from darkroom.plan.experiments import BEACON, Experiment, assign_variant
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.experiments.runs import RunStore, Tally
from darkroom_pipeline.experiments.statistics import Counts
from tests.images.photographs import jpeg_photo
from tests.waiting import wait_until

from .conftest import Stack
from .test_popular import count
from .viewer import Viewer

HERO = Experiment("stacktest", (("cover", 1), ("w320", 1)))
DOCUMENT = {"stacktest": {"variants": dict(HERO.weights)}}
VISITORS = {f"visitor-{number}": assign_variant(HERO.point, HERO.divide(), f"visitor-{number}") for number in range(8)}
ACCEPT = "image/webp"


@pytest.fixture
def media(stack: Stack, tmp_path: Path) -> Iterator[S3Bucket]:
    """The media bucket of a stack whose settings have the experiment, which began long ago."""
    info = json.loads((stack.state / "stack.json").read_text())
    documents = open_local_target(info).documents
    before, file = documents.current(), tmp_path / "settings.json"
    bucket = S3Bucket(create_client("s3", local_stack.environment(info)), stack.media_bucket)
    RunStore(bucket).write_tally(HERO, Tally(0, 0, {}))
    file.write_text(json.dumps({**before.table, "experiments": DOCUMENT}))
    state = ("--by", "test", "--state-dir", str(stack.state))
    assert main(["settings", "apply", str(file), *state]) == 0
    yield bucket
    assert main(["settings", "rollback", str(before.number), "--yes", *state[2:]]) == 0


def check(stack: Stack) -> Any:
    """Run the monitor's check; returns None while the monitor still has the settings from before the experiment."""
    answer = stack.cloud.functions.invoke(
        FunctionName=stack.functions["MonitorFunction"]["name"], Payload=b'{"watch": ["experiments"]}'
    )
    return json.loads(answer["Payload"].read()).get("experiments", {}).get(HERO.name)


def test_an_experiment_from_the_first_visitor_to_the_winner(stack: Stack, viewer: Viewer, media: S3Bucket) -> None:
    path = viewer.upload(jpeg_photo((900, 600)), "hero.jpg")
    images = {preset: viewer.get(f"{path}?preset={preset}", accept=ACCEPT) for preset in HERO.presets}
    assert images["cover"].body != images["w320"].body
    wait_until(lambda: viewer.get(f"{path}?exp=stacktest").status == 200, "the edge knows the experiment")
    for visitor, preset in VISITORS.items():
        shown = viewer.get(f"{path}?exp=stacktest", accept=ACCEPT, cookie=f"other=1; visitor={visitor}")
        assert shown.body == images[preset].body
        assert (shown.cache, shown.headers["cache-control"]) == ("Hit", "private, max-age=300")
        assert viewer.get(f"{BEACON}?event=view&exp=stacktest&visitor={visitor}").status == 204
    clicked = next(iter(VISITORS))
    assert viewer.get(f"{BEACON}?event=click&exp=stacktest&visitor={clicked}").status == 204
    assert len(viewer.derivatives(path)) == len(HERO.presets), "an experiment adds no object"

    def counted() -> bool:
        count(stack)
        tally = RunStore(media).read_tally(HERO)
        assert tally is not None
        visitors = sum(one.visitors for one in tally.counts.values())
        return (visitors, sum(one.clicks for one in tally.counts.values())) == (len(VISITORS), 1)

    wait_until(counted, "visitors and clicks are counted", 300, every_s=5)
    RunStore(media).write_tally(HERO, Tally(0, 1, {"cover": Counts(9_000, 300), "w320": Counts(9_000, 500)}))
    wait_until(lambda: (check(stack) or {}).get("winner") == "w320", "the monitor decides", 300, every_s=5)
    wait_until(
        lambda: viewer.get(f"{path}?exp=stacktest", accept=ACCEPT).body == images["w320"].body,
        "visitors without a cookie see the winner, too",
    )
    assert main(["settings", "check", "--state-dir", str(stack.state)]) == 0
