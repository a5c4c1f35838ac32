"""Several distributions behind one port: the viewer's Host says which is asked, as it does at CloudFront."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from .edge import Edge
from .live import LiveEdge


class Hosts:
    """The edges of a stack's distributions. The first is asked for every host that no other one has as an alias."""

    def __init__(self, edges: Sequence[LiveEdge]) -> None:
        self._edges = tuple(edges)

    @property
    def main(self) -> LiveEdge:
        """The stack's own distribution."""
        return self._edges[0]

    def of(self, host: str) -> Edge | None:
        """The edge for a Host header, whose port says nothing."""
        name = host.partition(":")[0].lower()
        others = (live.edge for live in self._edges[1:])
        return next((edge for edge in others if edge and name in edge.distribution.aliases), self.main.edge)

    def load(self) -> None:
        """Read all configurations. Raises NotBuiltLocally."""
        for live in self._edges:
            live.load()

    async def follow(self) -> None:
        """For ever: take over invalidations, new values and new deployments."""
        await asyncio.gather(*(live.follow() for live in self._edges))

    async def refresh(self) -> None:
        """Take over what has changed since the last time."""
        for live in self._edges:
            await live.refresh()

    def clear(self) -> None:
        """Forget every answer."""
        for live in self._edges:
            if live.edge:
                live.edge.clear()

    def collapse(self, *, on: bool) -> None:
        """Whether equal requests wait for one another."""
        for live in self._edges:
            if live.edge:
                live.edge.collapsing = on

    def close(self) -> None:
        """End the engines of all edge functions."""
        for live in self._edges:
            live.close()
