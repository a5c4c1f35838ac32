"""The command that estimates what a stack costs this month."""

from __future__ import annotations

import time

from ..app import app
from ..framework import Call


@app.command(
    output={
        "stack": "name",
        "from": "ISO 8601: the first of the month in UTC, or the creation of the stack",
        "to": "ISO 8601: now",
        "until": "ISO 8601: the end of the month",
        "lines": "per line: `line`, `usd` so far, `month_usd`, `amounts` by the names of prices.toml, and `missing`, "
        "what has no data; without any, `usd` and `month_usd` are null",
        "usd": "the sum so far, without lines that are null",
        "month_usd": "the sum of the month at this pace",
        "prices_of": "the day of the prices",
        "not_counted": "what the command does not count",
    },
    examples=("darkroom cost --stack shop --region eu-central-1",),
)
def cost(call: Call) -> None:
    """Estimate what a stack costs this month, so far and at this pace, line by line.

    Amounts are CloudWatch's metrics of the stack, prices those of prices.toml, as for the monitor's CostPerHour. What
    has no data is named as missing, and is not in the sum. A call reads about a hundred metrics, which costs 0.001 USD.
    The bill itself is in Cost Explorer by the tag darkroom, once that is activated; a call of its API costs 0.01 USD,
    and the command makes none.
    """
    from cli.cost.bill import format_bill, price
    from cli.cost.reading import find_period, read_points, read_resources
    from cli.cost.usage import add_up, list_sources
    from darkroom_pipeline.operations.cost_model import load_prices

    period, resources = find_period(call.deployment, time.time()), read_resources(call.deployment)
    sources = list(list_sources(resources))
    usage = add_up(sources, read_points(call.deployment, sources, period), resources.monthly, period)
    bill = price(usage, load_prices(), period)
    call.emit({"stack": call.deployment.name, **bill.document}, format_bill(bill))
