"""Carrying out the script: straight at S3, in its order, and never far ahead of the workers."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .environment import UPLOADS, Environment
from .pictures import Content
from .script import Action, Operation

AHEAD = 30
"""How many changes may wait: more, and most overwrites would have happened before anyone looks."""


@dataclass
class Uploader:
    """Waits for nobody when ``in_hurry``. ``done`` counts acts.

    ``versions`` has the version ids of each key, oldest first, ``contents`` what was uploaded as each.
    """

    world: Environment
    waiting: Callable[[], int]
    in_hurry: bool = False
    done: int = 0
    versions: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    contents: dict[str, Content] = field(default_factory=dict)

    def run(self, script: Sequence[Action]) -> None:
        """All of ``script``."""
        for act in script:
            while not self.in_hurry and self.waiting() >= AHEAD:
                time.sleep(0.2)
            _DOING[act.deed](self, act)
            self.done += 1

    def _put(self, act: Action) -> None:
        assert act.content is not None
        answer = self.world.s3.put_object(Bucket=UPLOADS, Key=act.key, Body=act.content.data)
        self.versions[act.key].append(answer["VersionId"])
        self.contents[answer["VersionId"]] = act.content

    def _delete(self, act: Action) -> None:
        answer = self.world.s3.delete_object(Bucket=UPLOADS, Key=act.key)
        self.versions[act.key].append(answer["VersionId"])

    def _delete_old(self, act: Action) -> None:
        oldest = self.versions[act.key].pop(0)
        self.world.s3.delete_object(Bucket=UPLOADS, Key=act.key, VersionId=oldest)


_DOING: dict[Operation, Callable[[Uploader, Action], None]] = {
    Operation.PUT: Uploader._put,
    Operation.DELETE: Uploader._delete,
    Operation.DELETE_OLD: Uploader._delete_old,
}
