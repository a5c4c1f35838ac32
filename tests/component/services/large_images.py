"""The large-image steps on MiniStack, driven by the test in place of Step Functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyvips

from darkroom.image_keys import SCENES
from darkroom.plan.limits import Limits
from darkroom_pipeline.aws.multipart_copy import MultipartAssembler
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.stepfunctions import StateMachine
from darkroom_pipeline.services.ingest.context import IngestContext, IngestOutcome
from darkroom_pipeline.services.ingest.events import IngestEvent, read_event
from darkroom_pipeline.services.large_image.steps import LargeImageSteps, StepAction, read_request
from tests.roles import create_role

from .ingest_environment import IngestEnvironment

LIMITS = Limits(max_bytes=2_000_000, max_pixels=2_000_000, max_scene_pixels=40_000_000)
KEY = "maps/north.tif"
IDLE = {"StartAt": "Idle", "States": {"Idle": {"Type": "Wait", "Seconds": 3600, "End": True}}}
"""A state machine that does nothing: its executions run, and the test does their work."""


def scene_image(width: int = 2600, height: int = 2100) -> pyvips.Image:
    """A photograph of sorts: shades with grain."""
    shade = pyvips.Image.xyz(width, height).cast("float")
    grain = np.random.default_rng(7).integers(-12, 12, (height, width, 1))
    bands = [shade[0] * (200 / width) + 20, shade[1] * (200 / height) + 20, (shade[0] + shade[1]) * 0.04]
    image = bands[0].bandjoin(bands[1:]) + pyvips.Image.new_from_array(grain.astype(np.int16))
    return image.cast("uchar").copy(interpretation="srgb")


def scene_tiff(width: int = 2600, height: int = 2100, **knobs: Any) -> bytes:
    """Encode it as a tiled TIFF, with other options in ``knobs``."""
    body: bytes = scene_image(width, height).tiffsave_buffer(**{"tile": True, "compression": "deflate", **knobs})
    return body


@dataclass
class Execution:
    """The execution for a large image, step by step. ``calls`` are the requested strips."""

    strips: LargeImageSteps
    document: dict[str, str]
    calls: list[int] = field(default_factory=list)

    def step(self, action: str, **further: Any) -> dict[str, Any]:
        return self.strips.handle(read_request({"action": action, **self.document, **further}))

    def cut(self, strip: int) -> None:
        self.calls.append(strip)
        self.step("cut", strip=strip)

    def whole(self, order: Callable[[list[int]], Iterator[int]] = iter) -> None:
        """All of it, as Step Functions does it."""
        for strip in order(self.step("plan")["strips"]):
            self.cut(strip)
        self.step("bind")
        self.step(StepAction.REPORT)


@dataclass
class LargeImageEnvironment(IngestEnvironment):
    """An environment with a state machine. ``stopped`` lists ended executions."""

    limits: Limits = field(default_factory=lambda: LIMITS)
    machine_arn: str = ""

    @classmethod
    def with_machine(cls, aws: Callable[[str], Any]) -> LargeImageEnvironment:
        env = cls.build(aws)
        assert isinstance(env, LargeImageEnvironment)
        env.clients["stepfunctions"] = aws("stepfunctions")
        made = env.clients["stepfunctions"].create_state_machine(
            name=f"scene-{env.names['index']}",
            definition=json.dumps(IDLE),
            roleArn=create_role(aws("iam"), {"Service": "states.amazonaws.com"}, []),
        )
        env.machine_arn = made["stateMachineArn"]
        return env

    @property
    def context(self) -> IngestContext:
        machine = StateMachine(self.clients["stepfunctions"], self.machine_arn)
        return replace(super().context, open_state_machine=lambda: machine)

    def executions(self) -> list[dict[str, Any]]:
        """Those that run, with their inputs, the first begun first."""
        client = self.clients["stepfunctions"]
        found = client.list_executions(stateMachineArn=self.machine_arn, statusFilter="RUNNING")["executions"]
        started = [client.describe_execution(executionArn=one["executionArn"]) for one in found]
        return [{**one, "input": json.loads(one["input"])} for one in sorted(started, key=lambda one: one["startDate"])]

    def execution(self) -> Execution:
        """Return the only running execution and mark it as ended."""
        [running] = self.executions()
        self.clients["stepfunctions"].stop_execution(executionArn=running["executionArn"])
        return Execution(self.strips, running["input"])

    @property
    def strips(self) -> LargeImageSteps:
        return LargeImageSteps(
            uploads=self.vault("uploads"),
            media=self.vault("media"),
            assembler=MultipartAssembler(self.clients["s3"], self.names["media"]),
            queue=self.claims.queue,
            limits=self.limits,
            at_once=4,
            observer=PowertoolsObserver("scene"),
        )

    def cuts(self) -> list[IngestEvent]:
        """The reports of the state machine, as ingest reads them."""
        changes = [change for text in self.sent if (change := read_event(text)) is not None and change.large_image_id]
        self.sent.clear()
        return changes

    def ended(self) -> IngestOutcome:
        """Deal with the one thing that the machine has published."""
        [change] = self.cuts()
        return self.handle(change)

    def parts(self) -> list[str]:
        return self.keys("media", SCENES)
