"""Write docs/explanation/calculator-data.js: what the calculator of the documentation computes bills from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from bench.paths import ROOT
from cli.flat_rate.plans import FlatRatePlans, load_flat_rate_plans
from darkroom_pipeline.operations.cost_model import EDGE_FUNCTIONS, load_prices

from .bills import NO_PRICE, CostModel
from .example import OURS, THEIRS
from .fargate import NAME as FARGATE
from .fargate import PRICES as FARGATE_PRICES
from .fargate import read_task_rates
from .flat_rate import read_rates
from .hosted import HostedService, load_hosted_services
from .inputs import INPUTS
from .month import ARCHITECTURE, MEMORY_MB, PARTS

DATA = ROOT / "docs" / "explanation" / "calculator-data.js"
"""The script."""


def format_data(model: CostModel) -> str:
    """Return prices and coefficients as a script."""
    plans = load_flat_rate_plans()
    data = {
        "read": str(model.prices.read_on),
        "plans_read": str(plans.read_on),
        "tasks_read": str(load_prices(FARGATE_PRICES).read_on),
        "inputs": [*map(asdict, INPUTS)],
        "lines": [{**asdict(one), "terms": one.terms} for one in model.lines],
        "rates": asdict(read_rates(model.prices, MEMORY_MB, ARCHITECTURE)),
        "functions": EDGE_FUNCTIONS,
        "free": asdict(plans.free_tier),
        "levels": [*_list_levels(plans)],
        "parts": PARTS,
        "no_price": NO_PRICE,
        "services": [*_list_services(model)],
    }
    text = json.dumps(data, indent=1)
    return f"// Written by `make alarms` (bench/cost/calculator.py). Do not edit.\nconst MODEL = {text};\n"


def _list_levels(plans: FlatRatePlans) -> Iterator[dict[str, object]]:
    for plan in plans.plans:
        by_store = plans.has(plan.tier, "origin_failover")
        yield from ({**asdict(level), "label": plan.label(level), "by_store": by_store} for level in plan.levels)


def _list_services(model: CostModel) -> Iterator[dict[str, object]]:
    """Services behind CloudFront have ``reads``, the share of misses that read the store; hosted ones have plans."""
    tasks = asdict(read_task_rates(model.prices, model.cpu_ms, ARCHITECTURE))
    yield {"name": OURS, "terms": model.our_terms(), "reads": 1}
    yield {"name": THEIRS, "terms": model.dit_terms(), "reads": 0}
    yield {"name": FARGATE, "terms": model.master_terms(), "reads": 0, "tasks": tasks}
    yield from (_describe(one, model) for one in load_hosted_services())


def _describe(service: HostedService, model: CostModel) -> dict[str, object]:
    return {
        "name": service.name,
        "terms": service.bucket_terms(model.prices),
        "credits": service.credit_terms(),
        "plans": [*map(asdict, service.plans)],
        "page": service.page,
        "read": str(service.read),
    }
