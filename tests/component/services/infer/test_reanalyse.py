"""Pictures that were taken in before are put into the queue."""

from __future__ import annotations

import pytest

from darkroom.services.infer.requests import Kind, Request
from darkroom.services.infer.service import Outcome
from tests.images.pictures import jpeg_photo
from tools import reanalyse

from .inferring import World


def test_every_master_is_queued_and_looked_at_once(
    world: World, aws_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in aws_environment.items():
        monkeypatch.setenv(name, value)
    world.ready("seen.jpg", jpeg_photo((90, 60)))
    world.master("trips/old.jpg", jpeg_photo((60, 90)))
    world.media.put("masters/folder/", b"", headers={}, metadata={})
    chosen = ["--bucket", world.names["media"], "--queue-url", world.names["normal"]]
    assert reanalyse.main(chosen) == 0
    assert "queued: 2" in capsys.readouterr().out
    keys = sorted(message["detail"]["object"]["key"] for message in world.messages("normal"))
    outcomes = [world.infer.handle(Request(Kind.ANALYSE, key)) for key in keys]
    assert dict(zip(keys, outcomes, strict=True)) == {"seen.jpg": Outcome.DROPPED, "trips/old.jpg": Outcome.ANALYSED}
    assert reanalyse.main([*chosen, "--below", "trips/", "--again"]) == 0
    [message] = world.messages("normal")
    assert (message["detail"]["object"]["key"], message["detail"]["again"]) == ("trips/old.jpg", True)


def test_what_cannot_be_reached_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch, aws_environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in aws_environment.items():
        monkeypatch.setenv(name, value)
    assert reanalyse.main(["--bucket", "no-such-bucket", "--queue-url", world.names["normal"]]) == 1
    assert "It may be run again" in capsys.readouterr().err
