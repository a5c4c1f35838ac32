"""The golden set of canonical paths: 1,500 requests over all options. Names of stored derivatives must not change."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from darkroom.image_keys import decode_escapes
from darkroom.plan.canonical import build_plan, canonical_path, parse_path
from darkroom.plan.option_types import FileName, Value, split_parts
from darkroom.plan.options import CANONICAL_OPTIONS, OPTIONS_BY_SHORT

GOLDEN = Path(__file__).parent.parent / "cases" / "canonical_paths.tsv"
"""Lines of options, each ``name-value`` as in a canonical path, a tab, and what follows ``/_/`` in the path."""

LEAST_CASES = 10
"""Lines whose path contains a given option. For a new option, add lines; never change one."""


def read_golden() -> list[tuple[str, str]]:
    """Return pairs of a request and the end of its canonical path."""
    lines = GOLDEN.read_text(encoding="ascii").splitlines()
    return [(request, end) for request, _, end in (line.partition("\t") for line in lines)]


def read_values(request: str) -> dict[str, Value]:
    """Return the option values of a golden request by short name."""
    values = dict[str, Value]()
    for word in request.split():
        name, _, spelling = word.partition("-")
        kind = OPTIONS_BY_SHORT[name].type
        parts = [decode_escapes(spelling)] if isinstance(kind, FileName) else split_parts(spelling)
        values[name] = spelling if name == "f" else kind.parse(parts)  # f has values that only negotiation sets
    return values


def test_golden_requests_have_their_recorded_paths() -> None:
    plans = {(request, end): build_plan("a", read_values(request)) for request, end in read_golden()}
    assert len(plans) >= 1500
    assert [(request, canonical_path(plan)) for (request, _), plan in plans.items()] == [
        (request, f"/a/_/{end}") for request, end in plans
    ]
    assert all(
        parse_path(canonical_path(plan)) == plan
        for plan in plans.values()
        if not ((plan.redact or plan.boxes) and plan.page)
    )


def test_golden_paths_cover_every_option() -> None:
    found = Counter(word.partition("-")[0] for _, end in read_golden() for word in end.rpartition(".")[0].split("_"))
    assert {
        option.short: found[option.short] for option in CANONICAL_OPTIONS if found[option.short] < LEAST_CASES
    } == {}
