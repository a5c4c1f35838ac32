"""Write the edge functions and the cache behaviours of dialects into template.yaml, and their size into its page.

``make edge`` inserts the tables of darkroom into the JavaScript sources and minifies them. Run it after each change of
a source, of the option table, of the table of dialects or of presets.toml; a test fails if the template is stale.
"""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), *(str(ROOT / "layers" / name) for name in ("darkroom", "pipeline", "dialects"))]

from darkroom.plan.presets import Presets, load_default_presets  # noqa: E402
from darkroom_dialects.registry import DIALECTS, Dialect  # noqa: E402
from darkroom_pipeline.plan.edge_settings import FUNCTION_FIRST  # noqa: E402
from functions.edge.repeated import minify_repeated  # noqa: E402
from functions.edge.tables import STATE_FIELDS, insert_dialect_tables, insert_tables  # noqa: E402

SOURCES = (
    "crypto.js",
    "store.js",
    "texts.js",
    "kinds.js",
    "request.js",
    "plan.js",
    "accept.js",
    "forced.js",
    "private.js",
    "headers.js",
    "handler.js",
)
"""In this order: the engine refuses a constant declared below a function that reads it."""

DIALECTS_SOURCES = ("accept.js", "headers.js", "dialects.js")
"""Sources of the function for dialects, below its import and its tables."""

TEMPLATE = ROOT / "template.yaml"
PAGE = ROOT / "docs" / "explanation" / "performance.md"
MAX_BYTES = 10_240
"""CloudFront's limit for the code of a function."""

_TABLES_MARK = "/* tables */"

CRYPTO_IMPORT = "import crypto from'crypto';"
STORE_IMPORT = "import cf from'cloudfront';"
"""These begin the edge function, the second one that for dialects too."""

CHOICE = f"'{FUNCTION_FIRST}'"
"""The setting with which the function chooses origins. Plans without failover of origins have 0 in its place."""

WITHOUT_STORE = "let cf={kvs:()=>({get:a=>{throw a},exists:()=>0})};"
"""Instead of the import: CloudFront's flat-rate plan Free has no key-value stores, and what the build knows applies."""


def edge_code(presets: Presets | None = None) -> str:
    """Return the function as in the template, for ``presets`` (those of presets.toml by default)."""
    return _minify(readable_code(presets or load_default_presets()), STATE_FIELDS)


def readable_code(presets: Presets) -> str:
    """Return the function before it is minified."""
    return insert_tables("\n".join(map(_source, SOURCES)), _TABLES_MARK, presets)


def dialects_code() -> str:
    """Return the function for dialects as in the template."""
    return _minify(readable_dialects_code(), frozenset())


def readable_dialects_code() -> str:
    """Return the function for dialects before it is minified."""
    source = "\n".join([_source("store.js"), _TABLES_MARK, *map(_source, DIALECTS_SOURCES)])
    return insert_dialect_tables(source, _TABLES_MARK)


def vary_code(template: str) -> str:
    """Return VaryFunction of ``template`` minified, for the second distribution; raises ValueError without it.

    ``${More}`` is empty for plans with policies of their own, and the others have no second distribution.
    """
    found = re.search(r"^  VaryFunction:.*?^        - \|\n(.*?)^        - Vary:", template, re.DOTALL | re.MULTILINE)
    if not found:
        raise ValueError("The template has no VaryFunction")
    return _minify(dedent(found[1]).replace("${More}", ""), frozenset())


_minify = cache(minify_repeated)


def _source(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


_BEHAVIOUR = """\
            - {{ PathPattern: {pattern}, TargetOriginId: transform, ViewerProtocolPolicy: redirect-to-https, \
AllowedMethods: [GET, HEAD, OPTIONS], CachedMethods: [GET, HEAD], Compress: false, \
CachePolicyId: !Ref LanguageCachePolicy, OriginRequestPolicyId: !Ref LanguageRequestPolicy, \
ResponseHeadersPolicyId: !If [HasOwnPolicies, !Ref ResponseHeadersPolicy, !If [HasCors, \
eaab4381-ed33-4a86-88ca-d9558dc6cd63, \
67f7725c-6f97-4210-82d7-5512b31e9d03]], FunctionAssociations: [\
{{ EventType: viewer-request, FunctionARN: !GetAtt LanguagesFunction.FunctionARN }}, \
{{ EventType: viewer-response, FunctionARN: !GetAtt VaryFunction.FunctionARN }}] }}
"""


def dialect_behaviours() -> str:
    """Return the cache behaviours of all dialects as in the template. Each begins the list or continues it."""
    return "".join(map(_format_behaviour, DIALECTS)).replace("            - {", "          - - {", 1)


def _format_behaviour(dialect: Dialect) -> str:
    return _BEHAVIOUR.format(pattern=json.dumps(dialect.behaviour_pattern))


def insert_code(template: str, code: str, mark: str) -> str:
    """Return ``template`` with ``code`` between the marks of a name; raises ValueError without marks."""
    how = "!Sub |-" if "${" in code else "|-"
    return insert_block(template, f"      FunctionCode: {how}\n{_indent(code, 8)}", mark)


def insert_edge_code(template: str, code: str) -> str:
    """Return ``template`` with the edge function, which has an empty store where the plan has none, and chooses no
    origins where it has no failover.

    Raises ValueError without marks, and if the choice of origins is not in the code once.
    """
    before, *after = code.removeprefix(CRYPTO_IMPORT + STORE_IMPORT).split(CHOICE)
    if len(after) != 1:
        raise ValueError(f"{CHOICE} is in the edge function {len(after)} times, not once")
    block = (
        '      FunctionCode: !Join\n        - ""\n'
        f'        - - {CRYPTO_IMPORT}\n          - !If [HasEdgeStore, "{STORE_IMPORT}", "{WITHOUT_STORE}"]\n'
        f"          - |-\n{_indent(before, 12)}"
        f'          - !If [HasFailover, "{CHOICE}", "0"]\n          - |-\n{_indent(after[0], 12)}'
    )
    return insert_block(template, block, "edge")


def insert_copies(template: str) -> str:
    """Return ``template`` with the functions of the second distribution; raises ValueError without their marks."""
    values = "Accept, DPR, Sec-CH-DPR, Save-Data"
    vary = f'        - Vary: !If [HasCors, "{values}, Origin", "{values}"]\n'
    block = f"      FunctionCode: !Sub\n        - |-\n{_indent(vary_code(template), 10)}{vary}"
    return insert_block(insert_code(template, dialects_code(), "drop-in-dialects"), block, "drop-in-vary")


def _indent(code: str, columns: int) -> str:
    return "".join(f"{' ' * columns}{line}\n" for line in code.splitlines())


def insert_block(template: str, block: str, mark: str) -> str:
    """Return ``template`` with ``block`` between the marks of a name; raises ValueError without marks."""
    marked = re.compile(rf"^( *# {mark}:begin[^\n]*\n).*?^( *# {mark}:end)", re.DOTALL | re.MULTILINE)
    written, found = marked.subn(lambda marks: f"{marks[1]}{block}{marks[2]}", template)
    if found != 1:
        raise ValueError(f"The template has no # {mark}:begin and # {mark}:end")
    return written


def insert_size(page: str, size_bytes: int) -> str:
    """Return the page of measurements with the size of the edge function; raises ValueError without its sentence."""
    sentence = f"The code has {size_bytes:,} of {MAX_BYTES:,} bytes; {MAX_BYTES - size_bytes:,} are free."
    written, found = re.subn(r"The code has [0-9,]+ of [0-9,]+ bytes; [0-9,]+ are free\.", sentence, page)
    if found != 1:
        raise ValueError("The page has no sentence with the size of the edge function")
    return written


def main() -> None:
    """Write the template and the page, and print the size of the edge function."""
    code = edge_code()
    if len(code) >= MAX_BYTES:
        sys.exit(f"The edge function has {len(code):,} bytes of {MAX_BYTES:,}. Are there presets to spare?")
    written = insert_edge_code(TEMPLATE.read_text(encoding="utf-8"), code)
    written = insert_copies(insert_code(written, dialects_code(), "dialects"))
    TEMPLATE.write_text(insert_block(written, dialect_behaviours(), "dialect-behaviours"), encoding="utf-8")
    PAGE.write_text(insert_size(PAGE.read_text(encoding="utf-8"), len(code)), encoding="utf-8")
    print(f"{TEMPLATE.name}: the edge function takes {len(code):,} of {MAX_BYTES:,} bytes")  # noqa: T201


if __name__ == "__main__":
    main()
