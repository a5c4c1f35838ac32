"""Several distributions on one port, selected by the Host header, as in CloudFront: by an alias or their domain."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from .edge import Edge
from .live import LiveEdge

NO_NAMES: Mapping[str, LiveEdge] = MappingProxyType({})


class Hosts:
    """The edges of distributions. The first one serves every host that is not of another one.

    ``named``: further distributions, by a host for each beside their own: their domains do not resolve to this machine.
    """

    def __init__(self, edges: Sequence[LiveEdge], named: Mapping[str, LiveEdge] = NO_NAMES) -> None:
        self._edges = (*edges, *named.values())
        self._named = dict(named)

    @property
    def main(self) -> LiveEdge:
        """Return the stack's main distribution."""
        return self._edges[0]

    def of(self, host: str) -> Edge | None:
        """Return the edge for a Host header. The port is ignored."""
        name = host.partition(":")[0].lower()
        if name in self._named:
            return self._named[name].edge
        others = (live.edge for live in self._edges[1:])
        return next((edge for edge in others if edge and name in _list_names(edge)), self.main.edge)

    def load(self) -> None:
        """Read all configurations. Raises NotBuiltLocally."""
        for live in self._edges:
            live.load()

    async def follow(self) -> None:
        """Apply invalidations, new values and new deployments until cancelled."""
        await asyncio.gather(*(live.follow() for live in self._edges))

    async def catch_up(self) -> None:
        """Apply what changed while there were no requests."""
        await asyncio.gather(*(live.catch_up() for live in self._edges))

    async def refresh(self) -> None:
        """Apply changes since the last call."""
        for live in self._edges:
            await live.refresh()

    def clear(self) -> None:
        """Drop every cached response."""
        for live in self._edges:
            if live.edge:
                live.edge.clear()

    def collapse(self, *, on: bool) -> None:
        """Set whether equal requests wait for one another."""
        for live in self._edges:
            if live.edge:
                live.edge.collapsing = on

    def close(self) -> None:
        """Stop the engines of all edge functions."""
        for live in self._edges:
            live.close()


def _list_names(edge: Edge) -> frozenset[str]:
    return edge.distribution.aliases | {edge.distribution.domain.lower()}
