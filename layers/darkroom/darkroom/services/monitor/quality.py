"""How good each variant of the models is, by pictures of which people have said what is in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from ...aws.model import Endpoint
from ...aws.observer import Observer
from ...aws.variants import Variants
from ...aws.vault import Vault
from ...errors import Unavailable
from ...findings import FACES, MODERATION, TEXT, Finding
from ...watch.quality import Confusion, Golden, judged, read_manifest, total

MANIFEST = "golden/manifest.jsonl"
"""The object in the media bucket; the pictures lie beside it."""

JUDGED = (FACES, MODERATION, TEXT)
"""Tasks that can be judged by labels."""

WITHIN_S = 600.0
"""How long the endpoint is asked at most. The function itself may take 900 s."""


@dataclass(frozen=True)
class QualityWatch:
    """The golden set in ``media``, and the ``endpoint`` whose ``variants`` are asked about it for ``tasks``."""

    media: Vault
    endpoint: Endpoint
    variants: Variants
    tasks: Sequence[str]
    observer: Observer
    within_s: float = WITHIN_S
    monotonic: Callable[[], float] = time.monotonic

    def look(self, now_s: float) -> Mapping[str, object]:
        """Tell precision, recall and false positives of each variant that takes calls. Raises Unavailable."""
        del now_s
        golden = self._golden()
        weighted = [name for name, variant in sorted(self.variants.now().items()) if variant.weight > 0]
        ends_s = self.monotonic() + self.within_s
        found: dict[str, object] = {"pictures": len(golden)}
        for name in weighted if golden else []:
            judgement = self._judge(golden, name, ends_s)
            found[name] = {task: self._tell(name, task, one) for task, one in judgement.items()}
        return found

    def _golden(self) -> list[Golden]:
        opened = self.media.open(MANIFEST)
        if opened is None:
            return []
        with opened.body as body:
            return list(read_manifest(body.read().decode()))

    def _judge(self, golden: Sequence[Golden], variant: str, ends_s: float) -> dict[str, Confusion]:
        tasks = [task for task in JUDGED if task in self.tasks]
        return total(judged(one, self._ask(one, tasks, variant, ends_s)) for one in golden)

    def _ask(self, one: Golden, tasks: Sequence[str], variant: str, ends_s: float) -> Mapping[str, Finding]:
        if self.monotonic() > ends_s:
            raise Unavailable(detail=f"the golden set is too long for one run: no time is left at {one.picture}")
        opened = self.media.open(one.picture)
        if opened is None:
            raise Unavailable(detail=f"{one.picture} of the golden set is missing")
        with opened.body as body:
            jpeg = body.read()
        return self.endpoint.ask(jpeg, tasks, sha256(one.picture.encode()).hexdigest()[:32], variant=variant).found

    def _tell(self, variant: str, task: str, confusion: Confusion) -> dict[str, float]:
        shares = {
            "Precision": confusion.precision,
            "Recall": confusion.recall,
            "FalsePositiveRate": confusion.false_positive_rate,
        }
        percents = {name: 100 * share for name, share in shares.items() if share is not None}
        for name, percent in percents.items():
            self.observer.count(name, percent, "Percent", task=task, variant=variant)
        return {name: round(percent, 2) for name, percent in percents.items()}
