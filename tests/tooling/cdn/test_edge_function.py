"""Functions at the edge while a deployment replaces them."""

from __future__ import annotations

import asyncio

from cloudfront_local.edge_event import Outcome
from cloudfront_local.edge_function import V8Function

SLOW = """
async function handler(event) {
  let sum = 0;
  for (let at = 0; at < 5e7; at += 1) { sum = (sum + at) % 1000003; }
  return Object.assign(event.request, {uri: '/' + sum});
}
"""


def test_a_run_in_progress_ends_after_its_function_was_replaced() -> None:
    async def run() -> tuple[Outcome, Outcome]:
        function = V8Function(SLOW)
        first, second = (asyncio.create_task(function.run({"request": {}}, None)) for _ in range(2))
        await asyncio.sleep(0)
        function.close()
        return await first, await second

    first, second = asyncio.run(run())
    assert first == second
    assert first.value["uri"] != "/"
