"""From what a URL of another language asks for to the variant that one viewer gets."""

from __future__ import annotations

from dataclasses import replace

from ...plan.canonical import check_length
from ...plan.model import LOSSLESS_FORMATS, Plan
from ...plan.negotiation import apply_save_data
from ...plan.redaction import AlwaysRedact, apply_forced_redaction, check_first_page, needs_findings
from ..common.parsed_url import ParsedUrl
from .request import DialectRequest

_MAIN_FORMATS = {"auto-avif": "avif", "auto-webp": "webp", "auto-legacy": "jpeg"}
"""The format that most pictures of a class come to, which is the one that its quality is taken of."""


def choose_variant(parsed: ParsedUrl, request: DialectRequest, always: AlwaysRedact) -> Plan:
    """The picture for ``request``, with what the deployment hides in it; raises BadOption where that cannot be.

    A quality that the URL puts in figures counts before those by format, and one for viewers who save data before both.
    """
    plan = apply_forced_redaction(_choose_quality(parsed, request), always)
    check_first_page(plan)
    if plan.format == "auto":
        plan = replace(plan, format=request.format_class)
    return replace(plan, findings=request.findings) if needs_findings(plan) else plan


def _choose_quality(parsed: ParsedUrl, request: DialectRequest) -> Plan:
    plan = parsed.plan
    if plan.format in LOSSLESS_FORMATS:
        return plan
    if request.saves_data and parsed.saving_quality is not None:
        return _check_length(replace(plan, quality=parsed.saving_quality))
    output = _MAIN_FORMATS[request.format_class] if plan.format == "auto" else plan.format
    by_format = dict(parsed.qualities).get(output)
    if plan.quality is None and by_format is not None:
        return _check_length(replace(plan, quality=by_format))
    return apply_save_data(plan) if request.saves_data else plan


def _check_length(plan: Plan) -> Plan:
    """``plan``, whose quality may be a character longer than there is room for beyond its request."""
    check_length(plan)
    return plan
