"""Requests to the function as deployed and to its peers: cold and warm, at equal quality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cli.library.prices import LATENCY_MS, MEGABYTES_PER_S

from ..cases import WEBP_2MP, WEBP_12MP, Case
from ..compare import OURS, STORED, Makes, measure_cases
from ..competitors.darkroom import darkroom, darkroom_from_masters, darkroom_unstored
from ..competitors.dit import NAME as DIT
from ..competitors.dit import dit
from ..competitors.node import node
from ..competitors.thumbor import thumbor
from ..goals import Figure, Rounds, Section
from ..link.process import uses_tls
from ..lower_bound import REQUEST, LowerBound, find_source, measure_lower_bound, measure_start_ms
from ..machine import separate_cores
from ..measure import Counts
from ..report import Findings, format_page, select_results, write_measured
from . import Progress
from .photographs import mean_ratio

FUNCTIONS: tuple[Makes, ...] = (darkroom_unstored, darkroom, dit, node)
WHO: dict[Case, tuple[Makes, ...]] = {
    WEBP_12MP: (*FUNCTIONS, darkroom_from_masters, thumbor),
    WEBP_2MP: FUNCTIONS,
}
COUNTS = {"full": Counts(cold=11, warm=42, unmeasured=15, processes=2), "quick": Counts(cold=3, warm=5)}
"""Node collects garbage at its final rate only after some fifteen requests: DIT's calls are 4 % faster before."""

AWS_ITSELF = "AWS itself: its cold starts also place the environment and load the layers, and S3's latency varies."
TLS = "TLS to S3, in this table: the link is plain HTTP, without handshake or encryption for any competitor."


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Measure all competitors, and compute the figures of both cases."""
    ratio = None if uses_tls() else mean_ratio("webp", rounds, progress)
    findings = measure_cases(WHO, dict.fromkeys(WHO, COUNTS[rounds]), progress)
    if not uses_tls():  # prices are those of the run without
        write_measured(findings)
    with separate_cores() as core:
        floors = {case: measure_lower_bound(case, find_source(case), core, COUNTS[rounds].warm) for case in WHO}
        bare_ms = measure_start_ms(core, COUNTS[rounds].cold)
    text = "\n\n".join([format_page(findings), "\n".join(f"- {line}" for line in floor_lines(floors, bare_ms))])
    missing = [*findings.missing, AWS_ITSELF, *([] if uses_tls() else [TLS])]
    return Section(text, figures(findings, floors, bare_ms, ratio), missing)


def figures(findings: Findings, floors: Mapping[Case, LowerBound], bare_ms: float, ratio: float | None) -> list[Figure]:
    """Return the figures of both cases; none without DIT's calls. ``ratio`` is of bytes over many photographs."""
    large, small = (select_results(findings, case, OURS, DIT, over_many=ratio) for case in (WEBP_12MP, WEBP_2MP))
    stored, small_stored = (
        select_results(findings, case, STORED, DIT, over_many=ratio) for case in (WEBP_12MP, WEBP_2MP)
    )
    if large is None or small is None or stored is None or small_stored is None:
        return []
    of_large, of_small = (floors[case].request_ms(LATENCY_MS, MEGABYTES_PER_S) for case in (WEBP_12MP, WEBP_2MP))
    found: Sequence[Figure | None] = [
        large.warm("warm-12mp-webp", of_large, REQUEST),
        stored.warm("warm-12mp-webp-stored", of_large, REQUEST),
        small.warm("warm-2mp-webp", of_small, REQUEST),
        small_stored.warm("warm-2mp-webp-stored", of_small, REQUEST),
        large.cold("cold-12mp", bare_ms + of_large, "the floor is a Python without imports, plus a warm request's"),
        small.cold("cold-2mp", bare_ms + of_small, "the floor is a Python without imports, plus a warm request's"),
        stored.peak("peak-12mp"),
        stored.cpu("cpu-12mp", floors[WEBP_12MP].render_ms),
    ]
    return [figure for figure in found if figure]


def floor_lines(floors: Mapping[Case, LowerBound], bare_ms: float) -> list[str]:
    """Describe the lower bound of each case."""
    return [
        f"Floor of {case.title}: decode {one.decode_ms:.0f} ms, encode {one.encode_ms:.0f} ms, Lambda's runtime with "
        f"a response of that size {one.carried_ms:.0f} ms; with S3's first byte, and the rest of the source arriving "
        f"during the decode, {one.request_ms(LATENCY_MS, MEGABYTES_PER_S):.0f} ms."
        for case, one in floors.items()
    ] + [f"Floor of a cold start: {bare_ms:.0f} ms for a Python without imports that responds at once."]
