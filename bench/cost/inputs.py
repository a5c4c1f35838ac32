"""Numbers that describe a deployment, their units, and the largest that the cost model accepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from darkroom_pipeline.operations.cost_model import HOURS_A_MONTH

ENDPOINT_INSTANCE = "ml.g4dn.xlarge"
"""Default of ``EndpointInstanceType``."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of an input: a number in it times ``factor`` is one in the first unit, divided by the views if ``shared``.

    ``name`` is its parameter in the address of the calculator and on the command line.
    """

    name: str
    label: str
    factor: float = 1.0
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Input:
    """A number that describes a deployment, up to ``largest``. ``default`` is that of the worked example.

    ``title`` names it without its unit, of which ``units`` has further ones.
    """

    name: str
    label: str
    default: float
    largest: float
    title: str = ""
    units: tuple[Unit, ...] = ()


INPUTS = (
    Input("images", "images", 2_000_000, 1e10),
    Input("new_images", "new images a month", 20_000, 1e9),
    Input("master_mb", "MB of an upload, on average", 2.3, 1e4),
    Input("views", "views a month", 50_000_000, 1e12, "views", (
        Unit("views", "views a month"),
        Unit("requests_a_second", "requests a second", HOURS_A_MONTH * 3600),
    )),
    Input("image_kb", "kB of a delivered image, on average", 77, 1e5, "delivery", (
        Unit("image_kb", "kB an image"),
        Unit("delivery_gb", "GB a month", 1e6, shared=True),
        Unit("delivery_tb", "TB a month", 1e9, shared=True),
    )),
    Input("miss_percent", "percent of the views that the CDN does not have", 10, 100),
    Input("active_percent", "percent of the images that are viewed within three months", 25, 100),
    Input("widths", "derivatives of such an image that are requested", 4, 1e3),
    Input("endpoint_hours", f"hours a month of endpoint instances ({ENDPOINT_INSTANCE})", 0, 1e5),
)  # fmt: skip

DEFAULTS: Mapping[str, float] = {one.name: one.default for one in INPUTS}


def read_inputs(given: Sequence[str]) -> dict[str, float]:
    """Return all inputs, those of ``given`` (``NAME=NUMBER``) instead of the default. Raises ValueError."""
    texts: dict[str, str] = {}
    for pair in given:
        name, _, text = pair.partition("=")
        texts[name] = text
    units = {unit.name: (one, unit) for one in INPUTS for unit in one.units or (Unit(one.name, one.label),)}
    if unknown := texts.keys() - units.keys():
        raise ValueError(f"there is no input {', '.join(sorted(unknown))}; inputs: {', '.join(sorted(units))}")
    values = dict(DEFAULTS)
    for name, (one, unit) in units.items():  # views are before what is divided by them
        if name in texts:
            if any(other.name in texts for other in one.units if other.name != name):
                raise ValueError(f"{one.title} is given in two units")
            values[one.name] = _convert(one, unit, float(texts[name]), values["views"])
    return values


def _convert(one: Input, unit: Unit, number: float, views: float) -> float:
    if unit.shared and not views:
        raise ValueError(f"{unit.name} needs views")
    value = number * unit.factor / (views if unit.shared else 1)
    if not isfinite(value) or not 0 <= value <= one.largest:
        raise ValueError(f"{unit.name} is not between 0 and {one.largest:,.10g} ({one.label})")
    return value
