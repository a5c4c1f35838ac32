"""The parts of the distribution that serve a stored image: origin group, cache policy and functions."""

from __future__ import annotations

from collections.abc import Mapping

from cloudfront_local.model import (
    Behaviour,
    CachePolicy,
    Distribution,
    Origin,
    OriginGroup,
    OriginKind,
    PolicyHeader,
    ResponseHeadersPolicy,
    Selection,
    Selections,
)
from cloudfront_local.model import Pick as Choice
from darkroom.plan.presets import load_default_presets
from darkroom.plan.variants import AccessMode
from darkroom_pipeline.plan.edge_settings import build_edge_entries
from functions.edge.build import edge_code

from ..competitors.model import BUCKET

METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CACHED_METHODS = frozenset({"GET", "HEAD"})
STATUSES = frozenset({403, 404, 500, 502, 503, 504})
"""Status codes of S3 for which the origin group fails over."""

EDGE, VARY = "edge", "vary"
VARY_CODE = """
function handler(event) {
  const headers = event.response.headers, query = event.request.querystring, exp = query.exp;
  const valueOf = (from, name) => (from[name] || {value: ''}).value;
  const asked = event.request.headers, tag = valueOf(headers, 'etag');
  const tags = (asked['if-match'] || {}).multiValue || [asked['if-match']];
  const isAnother = asked['if-match']
    ? !tags.map(one => one.value).join().split(',').some(one => one.trim() === '*' || tag && one.trim() === tag)
    : Date.parse(valueOf(headers, 'last-modified')) > Date.parse(valueOf(asked, 'if-unmodified-since'));
  if (isAnother) {
    event.response.statusCode = 412;
    event.response.statusDescription = 'Precondition Failed';
    headers['cache-control'] = {value: 'no-store'};
  }
  const hint = query.w && query.w.value === 'auto' ? ', Width, Sec-CH-Width' : '';
  headers.vary = {value: 'Accept, DPR, Sec-CH-DPR, Save-Data, Origin' + hint};
  delete headers['retry-after'];
  if (exp && !+exp.value && !isAnother) headers['cache-control'] = {value: 'private, max-age=300'};
  const left = (exp || query.expires || {}).value - Date.now() / 1000,
    age = valueOf(headers, 'cache-control').split('public, max-age=')[1];
  if (left > 0 && age) headers['cache-control'] =
    {value: 'private, max-age=' + Math.min(parseInt(age), Math.ceil(left))}; // until the link ends
  return event.response;
}
"""
FORWARDED = tuple(f"x-darkroom-{name}" for name in ("request", "signature", "expires", "url", "first"))


FUNCTION = Origin("transform", "transform.lambda-url.us-east-1.on.aws", "", OriginKind.FUNCTION_URL)


def build_entries(*, stores: bool) -> Mapping[str, str]:
    """Build the published settings, which the edge function reads. ``stores``: those of ``store_derivatives``."""
    return build_edge_entries(AccessMode.OPEN, "", load_default_presets(), stores=stores)


def read_edge_functions() -> dict[str, str]:
    """Return the published edge functions by name."""
    return {EDGE: edge_code(), VARY: VARY_CODE}


def build_distribution() -> Distribution:
    """Build the distribution with one behaviour, S3 as the first origin and the function as the second."""
    behaviour = Behaviour(
        pattern="*",
        target="stored-or-rendered",
        methods=METHODS,
        cached_methods=CACHED_METHODS,
        cache=CachePolicy(min_ttl_s=0, default_ttl_s=0),
        forward=Selections(headers=Selection(Choice.ONLY, frozenset(FORWARDED))),
        respond=ResponseHeadersPolicy((PolicyHeader("X-Content-Type-Options", "nosniff", True),)),
        request_function=EDGE,
        response_function=VARY,
    )
    origins = {
        "derivatives": Origin("derivatives", "media.s3.amazonaws.com", f"/{BUCKET}/derivatives", OriginKind.S3),
        "transform": FUNCTION,
    }
    group = OriginGroup("stored-or-rendered", ("derivatives", "transform"), STATUSES)
    return Distribution("BENCH", "bench.cloudfront.net", (behaviour,), origins, {group.id: group})


def build_function_distribution() -> Distribution:
    """Build a distribution with the function as the only origin, and without edge functions."""
    behaviour = Behaviour(
        pattern="*",
        target=FUNCTION.id,
        methods=METHODS,
        cached_methods=CACHED_METHODS,
        cache=CachePolicy(min_ttl_s=0, default_ttl_s=0),
    )
    return Distribution("BENCH", "bench.cloudfront.net", (behaviour,), {FUNCTION.id: FUNCTION}, {})
