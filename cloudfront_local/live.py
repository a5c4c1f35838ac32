"""An edge that follows the deployment: new configurations, invalidations and key-value store changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from .edge import Edge
from .edge_function import V8Function
from .origins import Origins
from .read_config import distribution_tag, function_source, function_store, read_distribution

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

POLL_S = 1.0

REST_AFTER_S = 30.0
"""Time after the last request in which changes are looked for; later, the next request does that first."""

CATCH_UP_WITHIN_S = 30.0
"""How long a request waits for CloudFront; then it gets what was in force before, as from an edge location."""


class LiveEdge:
    """An :class:`Edge` and its connection to the CloudFront API.

    ``read_store`` returns the entries of a key-value store by its ARN. ``stored`` are those of the functions, by ARN.
    """

    def __init__(
        self,
        client: CloudFrontClient,
        read_store: Callable[[str], Mapping[str, str]],
        distribution_id: str,
        origins: Origins,
        report: Callable[[str], None],
    ) -> None:
        self._client = client
        self._read_store = read_store
        self._id = distribution_id
        self._origins = origins
        self._report = report
        self._tag = ""
        self._seen: set[str] = set()
        self._functions: dict[str, V8Function] = {}
        self._store_of: dict[str, str] = {}
        self._visited_s = time.monotonic()
        self._rests = False
        self._catching_up = asyncio.Lock()
        self.stored: dict[str, dict[str, str]] = {}
        self.edge: Edge | None = None

    def load(self) -> None:
        """Read the deployed configuration. Responses in the cache stay. Raises NotBuiltLocally."""
        tag = distribution_tag(self._client, self._id)
        distribution = read_distribution(self._client, self._id)
        names = {found.request_function for found in distribution.behaviours}
        names |= {found.response_function for found in distribution.behaviours}
        self._store_of = {name: function_store(self._client, name) for name in names - {""}}
        self.stored = self._read_stores()
        functions = {
            name: V8Function(function_source(self._client, name), self.stored.get(store))
            for name, store in self._store_of.items()
        }
        if self.edge is None:
            self._seen = {item["Id"] for item in self._invalidations()}
            self.edge = Edge(distribution, dict(functions), self._origins, time.time, report=self._report)
        else:
            self.edge.distribution, self.edge.functions = distribution, dict(functions)
        self.close()
        self._functions, self._tag = functions, tag

    async def follow(self) -> None:
        """Apply invalidations, new values and new deployments within about a second, until cancelled.

        Without requests it rests, and :meth:`catch_up` applies them.
        """
        while True:
            await asyncio.sleep(POLL_S)
            self._rests = time.monotonic() - self._visited_s > REST_AFTER_S
            if not self._rests:
                await self._try_refresh()

    async def catch_up(self) -> None:
        """Apply what changed while it rested. Every request calls this first."""
        self._visited_s = time.monotonic()
        async with self._catching_up:
            if self._rests:
                self._rests = False
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._try_refresh(), CATCH_UP_WITHIN_S)

    async def _try_refresh(self) -> None:
        try:
            await self.refresh()
        except Exception as error:  # the CDN continues with the last configuration
            self._report(f"CDN: reading the distribution failed: {error!r}")

    async def refresh(self) -> None:
        """Apply changes since the last call."""
        for paths in await asyncio.to_thread(self._new_invalidations):
            if self.edge:
                self.edge.invalidate(paths)
        if await asyncio.to_thread(distribution_tag, self._client, self._id) != self._tag:
            self.load()
            self._report("CDN: loaded the new configuration")
        if (stored := await asyncio.to_thread(self._read_stores)) != self.stored:
            self.stored = stored
            for name, function in self._functions.items():
                if (values := stored.get(self._store_of[name])) is not None:
                    function.hold(values)
            self._report("CDN: loaded new key-value store entries")

    def close(self) -> None:
        """Stop the engines of the edge functions."""
        for function in self._functions.values():
            function.close()
        self._functions = {}

    def _read_stores(self) -> dict[str, dict[str, str]]:
        return {store: dict(self._read_store(store)) for store in set(self._store_of.values()) - {""}}

    def _invalidations(self) -> list[dict[str, str]]:
        listed = self._client.list_invalidations(DistributionId=self._id)["InvalidationList"]
        return [{"Id": item["Id"]} for item in listed.get("Items", [])]

    def _new_invalidations(self) -> list[list[str]]:
        unseen = [item["Id"] for item in self._invalidations() if item["Id"] not in self._seen]
        found: list[list[str]] = []
        for invalidation_id in unseen:
            answer = self._client.get_invalidation(DistributionId=self._id, Id=invalidation_id)
            found.append(list(answer["Invalidation"]["InvalidationBatch"]["Paths"].get("Items", [])))
            self._seen.add(invalidation_id)
        return found
