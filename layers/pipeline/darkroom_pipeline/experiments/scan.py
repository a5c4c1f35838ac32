"""Count the visitors of experiments and their clicks in the CDN's access logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import BinaryIO

from darkroom.aws.telemetry import Observer
from darkroom.plan.experiments import Experiment

from ..aws.s3 import S3Bucket
from ..operations.popular.service import FILE_TIME_S, MAX_DELIVERY_DELAY_S, Window, list_files, read_file
from .access_log import CLICK, VIEW, ExperimentRequest, read_requests
from .runs import SETTLING_S, Decisions, RunStore, Tally
from .visitors import VisitorSet, hash_visitor

MAX_VISITORS_PER_ADDRESS = 50
"""Visitors of one experiment that are counted from one address in an hour of logs: offices share one, and a client that
invents identifiers adds no more than these. Of IPv6, a /64 is one address: the smallest network that a client gets."""

MAX_BATCH = 200_000
"""Visitors of one experiment that are counted in one run of the function."""

EARLY_CLICK_S = MAX_DELIVERY_DELAY_S + 3_600.0
"""Time for which a click without a view is kept: the log file with the view may be delivered so late, and is read in
the hour after."""


@dataclass(slots=True)
class _Seen:
    """What a visitor did within the logs, Unix time; 0 is not."""

    viewed_s: float = 0.0
    clicked_s: float = 0.0


@dataclass(slots=True)
class _Batch:
    """Requests of one experiment since ``began_s``. ``refused`` are beacons of visitors over a limit."""

    began_s: float
    visitors: dict[str, _Seen] = field(default_factory=dict)
    addresses: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    refused: int = 0

    def add(self, request: ExperimentRequest) -> None:
        """Add a request. The order of requests is irrelevant, because log files have none."""
        if request.at_s < self.began_s:
            return
        if not request.event:
            self.requests += 1
            return
        seen = self.visitors.get(request.visitor)
        if seen is None:
            address = mask_address(request.address)
            if len(self.visitors) >= MAX_BATCH or self.addresses[address] >= MAX_VISITORS_PER_ADDRESS:
                self.refused += 1
                return
            self.addresses[address] += 1
            seen = self.visitors[request.visitor] = _Seen()
        if request.event == VIEW and (not seen.viewed_s or request.at_s < seen.viewed_s):
            seen.viewed_s = request.at_s
        if request.event == CLICK:
            seen.clicked_s = max(seen.clicked_s, request.at_s)


def mask_address(address: str) -> str:
    """Return the first address of an IPv6 address's /64, the IPv4 address of a mapped one, other text as it is."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return address
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))


@dataclass(frozen=True)
class ExperimentScan:
    """Reads the access logs of ``distribution_id`` in ``logs``.

    ``applied_s`` returns the time at which the settings were applied: earlier requests are of another definition.
    Reading a file again changes nothing but the number of requests.
    """

    logs: S3Bucket
    runs: RunStore
    distribution_id: str
    experiments: Sequence[Experiment]
    applied_s: Callable[[], float]
    observer: Observer

    def run(self, window: Window, remaining_s: Callable[[], float], now_s: float) -> Mapping[str, object]:
        """Count the requests in the files of ``window``; return visitors and clicks by experiment.

        Raises Unavailable, and ObjectChanged if another run wrote at the same time; it may be done again.
        """
        decisions = {one.name: self.runs.read_decisions(one) for one in self.experiments}
        running = [one for one in self.experiments if not decisions[one.name].is_final(one)]
        tallies = {one.name: self.runs.read_tally(one) or self._begin(now_s) for one in running}
        batches = {name: _Batch(tally.began_s) for name, tally in tallies.items()}
        if batches:
            with self.observer.step("read experiments"):
                self._read(window, batches, remaining_s)
        for one in self.experiments:
            if one not in running:
                self.runs.forget_visitors(one)
        return {
            one.name: self._merge(one, decisions[one.name], tallies[one.name], batches[one.name], now_s)
            for one in running
        }

    def _begin(self, now_s: float) -> Tally:
        return Tally(self.applied_s() + SETTLING_S, now_s, {})

    def _read(self, window: Window, batches: Mapping[str, _Batch], remaining_s: Callable[[], float]) -> None:
        def read(log: BinaryIO) -> None:
            for request in read_requests(log):
                if (batch := batches.get(request.experiment)) is not None:
                    batch.add(request)

        for file in list_files(self.logs, self.distribution_id, window):
            if remaining_s() < FILE_TIME_S:
                self.observer.log("WARNING", "access log left", file=file.key)
                return
            read_file(self.logs, file, read, self.observer)

    def _merge(
        self, experiment: Experiment, decisions: Decisions, tally: Tally, batch: _Batch, now_s: float
    ) -> Mapping[str, object]:
        """Add ``batch`` to the visitors of the run, and write them before their counts."""
        visitors = self.runs.read_visitors(experiment)
        visitors.remove_early_clicks(now_s - EARLY_CLICK_S)
        refused = batch.refused
        for visitor, seen in batch.visitors.items():
            refused += not _add_visitor(experiment, decisions, visitors, visitor, seen)
        if batch.visitors:
            self.runs.write_visitors(experiment, visitors)
        counts = visitors.count(experiment.presets)
        tally = tally.with_counts(counts, now_s, requests=batch.requests, refused=refused)
        self.runs.write_tally(experiment, tally)
        found = {preset: [count.visitors, count.clicks] for preset, count in counts.items()}
        self.observer.log("INFO", "experiment counted", experiment=experiment.name, counts=found, refused=refused)
        return {"counts": found, "requests": batch.requests, "refused": refused}


def _add_visitor(experiment: Experiment, decisions: Decisions, visitors: VisitorSet, visitor: str, seen: _Seen) -> bool:
    """Add what a visitor did; return whether there was room. A click counts with a view of the same variant."""
    key = hash_visitor(experiment.digest, visitor)
    known = visitors.find_variant(key)
    clicked_s = max(seen.clicked_s, visitors.early_clicks.pop(key, 0))
    if known is None:
        if not seen.viewed_s:
            return visitors.add_early_click(key, clicked_s)
        variant = decisions.find_variant(experiment, visitor, seen.viewed_s)
        if variant is None:
            return True
        known = experiment.presets.index(variant)
        if not visitors.add(key, known):
            return False
    if clicked_s and decisions.find_variant(experiment, visitor, clicked_s) == experiment.presets[known]:
        visitors.click(key)
    return True
