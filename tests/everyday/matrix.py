"""The cells of the matrix: each row is stored on a stack and ingested there, and each column requested."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from darkroom.image_keys import encode_key
from darkroom_pipeline.reencode.service import reencode_message
from tests.stack.conftest import Stack
from tests.stack.inference_client import InferenceClient
from tests.stack.operating import Operator
from tests.stack.viewer import Answer, Viewer
from tests.waiting import wait_until

from .features import ANALYSED, EFFECTS, OUTPUTS, REENCODED, SIGNED, Feature, verify
from .kinds import Kind

PUT, UPLOADED = "put", "uploaded"
"""Origins of a master: stored by hand, or made by ingest."""

TASKS = ("faces", "text", "moderation", "similarity", "tags", "likeness")
"""Every task that a stack has without models of its own; each is a column."""

HANG_S = 3600.0
"""Analyses of all rows share two processors; those that the endpoint has missed are tried again after 15 minutes."""

_AT_ONCE = 3
_AHEAD = 6
"""Rows that are ingested and analysed meanwhile. All at once, they would overload the endpoint."""


@dataclass(frozen=True)
class Cell:
    """A row, the origin of its master, and a column."""

    kind: Kind
    origin: str
    feature: Feature

    @property
    def name(self) -> str:
        return f"{self.origin}/{self.feature.name}"


def list_cells(kind: Kind) -> list[Cell]:
    """Return the cells of a row that need no findings."""
    by_hand = () if kind.converted else OUTPUTS
    uploaded = () if kind.refused else (*OUTPUTS, *EFFECTS)
    return [
        *(Cell(kind, PUT, feature) for feature in by_hand),
        *(Cell(kind, UPLOADED, feature) for feature in uploaded),
    ]


@dataclass
class Matrix:
    """Cells on a running ``stack``. ``inference`` where it analyses, and moderation blocks. ``rows``: those that will
    run, in their order.
    """

    stack: Stack
    viewer: Viewer
    operator: Operator
    inference: InferenceClient | None = None
    rows: Sequence[Kind] = ()
    prefix: str = field(default_factory=lambda: f"everyday-{secrets.token_hex(4)}")
    _paths: dict[tuple[str, str], str] = field(default_factory=dict)

    def send(self, kind: Kind, origin: str) -> str:
        """Store or upload a row once, without waiting; return its path."""
        if (place := (kind.name, origin)) not in self._paths:
            if origin == PUT:
                self._paths[place] = self.viewer.upload(kind.body, kind.file_name)
            else:
                key = f"{self.prefix}/{len(self._paths)}/{kind.file_name}"
                bucket = self.operator.info["uploads_bucket"]
                self.stack.cloud.s3.put_object(Bucket=bucket, Key=key, Body=kind.body)
                self._paths[place] = f"/{key}"
        return self._paths[place]

    def settle(self, kind: Kind) -> str:
        """Return the state of an upload once ingest, and moderation where it blocks, have decided; or its error."""
        key = self.send(kind, UPLOADED)[1:]

        def find() -> str:
            record = self.operator.index.get(key)
            if record is None or record.state == "claimed" or (record.state == "held" and not record.awaits_review):
                return ""
            return record.refusal.code if record.state == "refused" else record.state

        return wait_until(find, f"{kind.name} is decided: {key}", HANG_S, every_s=0.5)

    def look(self, cell: Cell) -> str:
        """Return what is wrong with a cell."""
        path = self.send(cell.kind, cell.origin)
        return _named(cell.name, verify(cell.name, cell.feature.look(self.viewer, path), cell.kind, cell.feature.check))

    def run_row(self, kind: Kind) -> tuple[int, list[str]]:
        """Run all cells of a row; return their number, and what is wrong with them."""
        if kind in self.rows:
            at = self.rows.index(kind)
            for following in self.rows[at : at + _AHEAD]:
                self.send(following, UPLOADED)
        cells = list_cells(kind)
        found = self.settle(kind)
        wanted = kind.refused or ("held" if kind.flagged else "ready")
        problems = [] if found == wanted else [f"uploaded/state: {found}, expected {wanted}"]
        if found != "ready":
            cells = [cell for cell in cells if cell.origin == PUT]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            problems += list(pool.map(self.look, cells))
        count = len(cells) + 1
        if found == "ready":
            further = list(self._run_further(kind))
            count, problems = count + len(further), problems + further
        return count, [problem for problem in problems if problem]

    def _run_further(self, kind: Kind) -> Iterator[str]:
        """Run the columns of uploads that ingest has made a master of."""
        path = self.send(kind, UPLOADED)
        yield self.look(Cell(kind, UPLOADED, SIGNED))
        if self.inference is not None:
            yield from self._find_missing_tasks(kind, self.inference)
            for feature in ANALYSED:
                yield self.look(Cell(kind, UPLOADED, feature))
        self._reencode(path)
        yield self.look(Cell(kind, UPLOADED, REENCODED))

    def _find_missing_tasks(self, kind: Kind, inference: InferenceClient) -> Iterator[str]:
        key = self.send(kind, UPLOADED)[1:]
        wait_until(lambda: set(TASKS) <= set(inference.makers(key)), lambda: inference.findings_of(key), HANG_S)
        tasks = inference.findings_of(key)["findings"]["tasks"]
        for task in TASKS:
            document = json.dumps({"task": tasks[task]}).encode()
            answer = Answer(200, {"content-type": "application/json"}, document)
            yield _named(f"uploaded/{task}", verify(f"uploaded/{task}", answer, kind, _is_readable))

    def _reencode(self, path: str) -> None:
        """Request the derivative of REENCODED, and wait until it is re-encoded, or stays as it is."""
        url = REENCODED.request(self.viewer, path)
        if self.viewer.get(url, accept=REENCODED.accept).status != 200:
            return
        name = f"derivatives{encode_key(path)}/_/w-240.auto-webp"
        s3, queue = self.stack.cloud.s3, self.operator.info["queues"]["refine"]
        body = json.dumps(reencode_message(name, 1))
        self.operator.forget_orders()  # every derivative of before is re-encoded after five minutes
        self.stack.cloud.queues.send_message(QueueUrl=queue, MessageBody=body, DelaySeconds=0)

        def is_done() -> bool:
            head = s3.head_object(Bucket=self.stack.media_bucket, Key=name)
            return head["Metadata"]["pace"] == "thorough"

        wait_until(is_done, f"{name} is re-encoded", every_s=0.5)
        self.stack.restart_cdn()


def _is_readable(answer: Answer, kind: Kind) -> None:
    """A finding by the endpoint, without an error."""
    finding = json.loads(answer.body)["task"]
    assert finding["by"] == "endpoint", finding["by"]
    assert not finding.get("error"), finding["error"]
    if "faces" in finding:
        assert len(finding["faces"]) >= kind.faces, f"{len(finding['faces'])} faces"


def _named(cell: str, problem: str) -> str:
    return f"{cell}: {problem}" if problem else ""
