"""URLs of other services: parsed, authorised and answered by the code of the transform function."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import redirect_stdout
from dataclasses import replace

from darkroom.errors import DarkroomError, SourceMissing
from darkroom.image_keys import DERIVATIVES
from darkroom.plan.canonical import derivative_name
from darkroom.plan.model import AUTO_CLASSES, Plan
from darkroom.plan.redaction import FIRST_GENERATION, needs_findings
from darkroom.services.serve.answers import Failed, FallbackImage
from darkroom.services.serve.fallback import find_fallback_key
from darkroom_dialects.common.parsed_url import ParsedUrl
from darkroom_dialects.parsers import load_parser
from darkroom_dialects.registry import DIALECTS, IIIF, Dialect
from darkroom_dialects.serving.access import authorise
from darkroom_dialects.serving.handler import dialect_modes, load_dialect_settings
from darkroom_dialects.serving.request import DialectRequest
from darkroom_dialects.serving.service import choose_variant
from darkroom_dialects.serving.signing_keys import DialectKeys

from .dry_render import FixedKeys
from .source import Document, Source


class UnexplainedDialect(ValueError):
    """The URL is one of IIIF, whose info.json says what can be requested."""


def find_dialect(path: str) -> Dialect | None:
    """Return the dialect that ``path`` begins with, or None."""
    return next(
        (
            dialect
            for dialect in DIALECTS
            if any(path.startswith(f"{prefix}/") for prefix in (dialect.prefix, *dialect.further_prefixes))
        ),
        None,
    )


def parse_in_dialect(dialect: Dialect, target: str, source: Source) -> ParsedUrl:
    """Parse ``target``. Raises DarkroomError of 4xx, SourceMissing for a dialect that is off, UnexplainedDialect."""
    if dialect is IIIF:
        raise UnexplainedDialect("This is a URL of iiif, which is not explained: request its info.json.")
    if dialect.name not in dialect_modes(source.settings):
        raise SourceMissing(f"This deployment does not serve {dialect.name}: the setting {dialect.mode_setting} is off")
    settings = replace(load_dialect_settings(source.settings), detects_faces=source.has_inference)
    return load_parser(dialect).parse(dialect.parser_input(target), settings)


def list_dialect_outcomes(
    dialect: Dialect, parsed: ParsedUrl, target: str, source: Source, stored: Collection[str]
) -> Iterator[Document]:
    """Yield what is answered for each format without ``Save-Data``. Every miss of the CDN reaches the function."""
    transform, settings = source.build_transform(), source.settings
    for plan in list_dialect_variants(parsed, target, source):
        try:
            authorise(
                parsed,
                plan,
                dialect_modes(settings)[dialect.name],
                lambda: settings.presets,
                settings.forced,
                load_parser(dialect).verify,
                DialectKeys(FixedKeys(source.read_dialect_keys()), dialect.name),
                source.now_s,
                is_private=transform.is_private(plan.key),
            )
            with redirect_stdout(sys.stderr):  # for lines that the service logs
                answer = transform.serve_or_replace(plan)
        except DarkroomError as error:
            answer = Failed(error)
        name = DERIVATIVES + derivative_name(plan)
        is_replaced = isinstance(answer, FallbackImage)
        yield {
            "name": name,
            "is_stored": name in stored,
            "refusal": answer.error.to_problem() if isinstance(answer, Failed | FallbackImage) else None,
            "fallback": find_fallback_key(plan.key, settings.fallback_images) if is_replaced else "",
        }


def list_dialect_variants(parsed: ParsedUrl, target: str, source: Source) -> Iterator[Plan]:
    """Yield the variants that the class of the header ``Accept`` chooses."""
    settings = source.settings
    forced = settings.forced.apply(parsed.plan)
    generation = source.read_generation() if needs_findings(forced) else FIRST_GENERATION
    for name in AUTO_CLASSES if parsed.plan.format == "auto" else AUTO_CLASSES[-1:]:
        request = DialectRequest(target, format_class=name, findings=generation)
        yield choose_variant(parsed, request, settings.forced, settings.metadata)
