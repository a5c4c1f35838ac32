"""Carry out the script directly on S3, in its order, and wait while the ingest queue is long."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .environment import UPLOADS, Environment
from .images import Content
from .script import Action, Operation

AHEAD = 30
"""Longest ingest queue. With more, most overwrites would precede the first ingest."""


@dataclass
class Uploader:
    """Carries out actions, and waits for the queue unless ``ignore_backlog``. ``done`` counts actions.

    ``versions`` has the version ids of each key, oldest first, ``contents`` the upload of each version.
    """

    environment: Environment
    waiting: Callable[[], int]
    ignore_backlog: bool = False
    done: int = 0
    versions: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    contents: dict[str, Content] = field(default_factory=dict)

    def run(self, script: Sequence[Action]) -> None:
        """Carry out ``script``."""
        for action in script:
            while not self.ignore_backlog and self.waiting() >= AHEAD:
                time.sleep(0.2)
            _HANDLERS[action.operation](self, action)
            self.done += 1

    def _put(self, action: Action) -> None:
        assert action.content is not None
        answer = self.environment.s3.put_object(Bucket=UPLOADS, Key=action.key, Body=action.content.data)
        self.versions[action.key].append(answer["VersionId"])
        self.contents[answer["VersionId"]] = action.content

    def _delete(self, action: Action) -> None:
        answer = self.environment.s3.delete_object(Bucket=UPLOADS, Key=action.key)
        self.versions[action.key].append(answer["VersionId"])

    def _delete_old(self, action: Action) -> None:
        oldest = self.versions[action.key].pop(0)
        self.environment.s3.delete_object(Bucket=UPLOADS, Key=action.key, VersionId=oldest)


_HANDLERS: dict[Operation, Callable[[Uploader, Action], None]] = {
    Operation.PUT: Uploader._put,
    Operation.DELETE: Uploader._delete,
    Operation.DELETE_OLD: Uploader._delete_old,
}
