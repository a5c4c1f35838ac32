"""Price the usage of a stack, and extrapolate it to the end of the month. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cli.terminal import Line, Style
from darkroom_pipeline.operations.cost_model import Amounts, PriceTable

from .usage import NOT_COUNTED, Period, Usage

ROUGH_S = 86_400
SHOWN = 3
"""Resources without data that a line of text names."""


@dataclass(frozen=True, slots=True)
class BillLine:
    """A line in US dollars, so far and for the month; None without data or a price. ``missing`` says of what."""

    line: str
    usd: float | None
    month_usd: float | None
    amounts: Amounts
    missing: Sequence[str]


@dataclass(frozen=True, slots=True)
class Bill:
    """The cost of a stack in a period. The sums leave out what is missing."""

    period: Period
    lines: Sequence[BillLine]
    prices: PriceTable

    @property
    def usd(self) -> float:
        """Return the sum so far."""
        return sum(one.usd or 0.0 for one in self.lines)

    @property
    def month_usd(self) -> float:
        """Return the sum of the month."""
        return self.usd * self.period.factor

    @property
    def document(self) -> Mapping[str, object]:
        """Return the bill as JSON values."""
        begin, now, end = (_iso(at) for at in (self.period.begin_s, self.period.now_s, self.period.end_s))
        lines = [
            {
                "line": one.line,
                "usd": one.usd,
                "month_usd": one.month_usd,
                "amounts": one.amounts,
                "missing": one.missing,
            }
            for one in self.lines
        ]
        together = {"usd": self.usd, "month_usd": self.month_usd, "prices_of": self.prices.read_on.isoformat()}
        return {"from": begin, "to": now, "until": end, "lines": lines, **together, "not_counted": NOT_COUNTED}


def price(usages: Sequence[Usage], prices: PriceTable, period: Period) -> Bill:
    """Price usage. A line with an amount that has no price has no cost."""
    lines = []
    for one in usages:
        amounts = one.amounts or {}
        unpriced = prices.without_price(amounts)
        usd = None if one.amounts is None or unpriced else sum(prices.cost(amounts).values())
        missing = (*one.missing, *(f"price of {name}" for name in unpriced))
        lines.append(BillLine(one.line, usd, None if usd is None else usd * period.factor, amounts, missing))
    return Bill(period, lines, prices)


def format_bill(bill: Bill) -> Iterator[str]:
    """Yield the lines of a bill as text."""
    width = max(len(one.line) for one in bill.lines)
    yield Line((f"{'USD':<{width}}  {'so far':>9}  {'month':>9}", Style.HEADING))
    for one in bill.lines:
        amounts = ", ".join(f"{name} {amount:,.4g}" for name, amount in one.amounts.items())
        shown = [*one.missing[:SHOWN], *([f"{len(one.missing) - SHOWN} more"] if len(one.missing) > SHOWN else [])]
        note = "; ".join(text for text in (amounts, f"no data of {', '.join(shown)}" if shown else "") if text)
        yield f"{one.line:<{width}}  {_usd(one.usd)}  {_usd(one.month_usd)}  {note}".rstrip()
    yield Line((f"{'together':<{width}}  {_usd(bill.usd)}  {_usd(bill.month_usd)}", Style.HEADING))
    if missing := [one.line for one in bill.lines if one.usd is None]:
        yield Line((f"The sums are without {', '.join(missing)}: there is no data.", Style.PROBLEM))
    period = bill.period
    if period.now_s - period.begin_s < ROUGH_S:
        yield "The time so far is less than a day, so the month is a rough figure."
    yield (
        f"From {_iso(period.begin_s)} to {_iso(period.now_s)}, and at this pace until {_iso(period.end_s)}; "
        f"prices of us-east-1 of {bill.prices.read_on}."
    )
    yield f"Not counted: {', '.join(NOT_COUNTED)}."


def _usd(value: float | None) -> str:
    return "  missing" if value is None else f"{value:9.3f}"


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="minutes")
