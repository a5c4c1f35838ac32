"""The edge function's code: size, language features, and the template's copy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from darkroom.plan.presets import load_default_presets
from functions.edge import build
from functions.edge.build import (
    CHOICE,
    CRYPTO_IMPORT,
    MAX_BYTES,
    PAGE,
    STORE_IMPORT,
    TEMPLATE,
    dialect_behaviours,
    dialects_code,
    edge_code,
    insert_copies,
    insert_edge_code,
    insert_size,
    readable_code,
)

from .engine import EdgeEngine
from .language import read_above, violations
from .reference import ViewerRequest, case_presets

CODE = edge_code()


def test_it_fits() -> None:
    assert len(CODE.encode()) < MAX_BYTES


def test_the_template_holds_the_latest() -> None:
    template = TEMPLATE.read_text(encoding="utf-8")
    assert insert_edge_code(template, CODE) == template, "run `make edge`"


def test_the_second_distribution_has_the_latest_copies() -> None:
    template = TEMPLATE.read_text(encoding="utf-8")
    assert insert_copies(template) == template, "run `make edge`"
    with pytest.raises(ValueError, match="no VaryFunction"):
        insert_copies("# drop-in-dialects:begin\n# drop-in-dialects:end\n")


def test_the_page_of_measurements_has_the_size() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert insert_size(page, len(CODE)) == page, "run `make edge`"
    with pytest.raises(ValueError, match="no sentence"):
        insert_size("", len(CODE))


def test_cloudformation_fills_in_nothing() -> None:
    assert "${" not in CODE


def test_it_is_ascii() -> None:
    assert CODE.isascii()


def test_it_keeps_to_the_language_of_the_engine() -> None:
    assert violations(readable_code(case_presets())) == []
    assert violations(CODE, has_words=True) == []


def test_no_constant_is_read_above_its_declaration() -> None:
    assert read_above(readable_code(case_presets())) == []
    assert read_above("function f() { const a = B; return a; } const B = 1;") == ["B"]
    assert read_above("const f = a => B + a; const B = 1;") == ["B"]
    assert read_above("const B = 1; function f() { return g(B); } function g(a) { return a; }") == []


@pytest.mark.parametrize(
    "code",
    [
        "class A {}",
        "const {a} = {a: 1};",
        "const [a] = [1];",
        "const a = [...[1]];",
        "const f = (...all) => all;",
        "const f = (a = 1) => a;",
        "const a = {}; const b = a?.c;",
        "const a = null ?? 1;",
        "let a = 1; a ||= 2;",
        "for (const a of [1]) { a; }",
        "const a = `b`;",
        "function* f() { yield 1; }",
        "async function f() { return 1; }",
        "const f = async () => 1;",
        "const a = 1; const b = {a};",
        "const a = {b() { return 1; }};",
        "const a = {get b() { return 1; }};",
        "const a = 'b'; const c = {[a]: 1};",
        "const a = 1n;",
        "const a = 0b11;",
        "const a = 1_000;",
        "const a = '\\u{1F408}';",
        "const a = /b/u;",
        "const a = /(?<=b)c/;",
        "const a = /(?<name>b)/;",
        "const a = /\\p{L}/;",
        "const a = /^b$/;",
        "const a = /[^]/;",
        "try { isNaN(1); } catch { isNaN(2); }",
        "const a = new Map();",
        "const a = new Set([1]);",
        "const a = Symbol('b');",
        "const a = Array.from('bc');",
        "const a = Object.fromEntries([]);",
        "const a = Object.hasOwn({}, 'b');",
        "const a = Number('1').toLocaleString();",
        "const a = [1].at(-1);",
        "const a = [[1]].flat();",
        "const a = [1].findLast(b => b);",
        "const a = [2, 1].toSorted();",
        "const a = 'b'.matchAll(/b/g);",
        "const a = 'b'.normalize();",
        "const a = 'b'.localeCompare('c');",
        "const a = structuredClone({});",
        "const a = new URL('https://example.com');",
        "const a = Intl.NumberFormat();",
        "setTimeout(isNaN, 1);",
        "eval('1');",
        "const f = new Function('1');",
        "const f = (a, b,) => a;",
        "isNaN(1,);",
        "import cf from 'crypto';",
        "import {kvs} from 'cloudfront';",
        "import store from 'cloudfront';",
        "async function handler() { return [1].map(a => a); }",
        "async function handler() { isNaN(await 1); }",
        "const handler = async function () { return 1; };",
    ],
)
def test_the_lint_finds(code: str) -> None:
    assert violations(code)


@pytest.mark.parametrize(
    "code",
    [
        "var a = 1; if (a > 0 && a !== 2) { a++; } else { a = -a; }",
        "const f = (a, b) => a ** b; f(1, 2);",
        "function f(a) { for (var b = 0; b < a; b++) { if (b) { continue; } } return typeof a; }",
        "let a = {b: [1, 2], 'c': null}; a.b.map(d => String(d)).filter(d => d.startsWith('1'));",
        "try { throw {code: 1}; } catch (e) { decodeURIComponent(e.code); } finally { Math.max(1, 2); }",
        "import cf from 'cloudfront'; async function handler(a) { return await cf.kvs().exists(a) ? a : 'b'; }",
        "switch (1) { case 1: break; default: Object.assign({}, JSON.parse('{}')); }",
        "const a = /^[a-z]+$(?!\\n)|\\$b/gi.test('b') ? new RegExp('c') : undefined;",
    ],
)
def test_the_lint_lets_pass(code: str) -> None:
    assert violations(code) == []


def test_the_sandbox_lacks_what_the_engine_lacks() -> None:
    with EdgeEngine(CODE) as engine:
        for name in (
            "Map",
            "Set",
            "Promise",
            "Reflect",
            "Intl",
            "BigInt",
            "eval",
            "Function",
            "structuredClone",
            "console",
        ):
            assert engine.evaluate(f"typeof {name}") == "undefined", name
        for member in ("[].at", "[].flat", "''.at", "''.matchAll", "Object.fromEntries", "Array.from", "Object.hasOwn"):
            assert engine.evaluate(f"typeof {member}") == "undefined", member


def _broken(change: dict[str, Any]) -> dict[str, Any]:
    event = ViewerRequest("/p.jpg?w=800").event()
    event["request"] |= change
    return event


@pytest.mark.parametrize(
    "change",
    [{"headers": None}, {"uri": None}],
)
def test_it_never_throws(change: dict[str, Any]) -> None:
    with EdgeEngine(CODE) as engine:
        answer = engine.answer(_broken(change))
    assert answer["statusCode"] in (400, 500)
    assert answer["headers"]["content-type"]["value"] == "application/problem+json"
    assert "Error" not in answer["body"]


def test_an_error_of_the_code_is_our_fault() -> None:
    with EdgeEngine(CODE) as engine:
        answer = engine.answer(_broken({"headers": None}))
    assert answer["statusCode"] == 500
    assert answer["headers"]["cache-control"]["value"] == "no-store"
    assert '"code":"internal"' in answer["body"]


def test_presets_are_data_of_the_build() -> None:
    assert readable_code(case_presets()) != readable_code(load_default_presets())


def test_a_template_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="edge:begin"):
        insert_edge_code("Resources: {}\n", CODE)


def test_code_that_chooses_no_origins_is_refused() -> None:
    with pytest.raises(ValueError, match="0 times"):
        insert_edge_code("Resources: {}\n", CODE.replace(CHOICE, "0"))


def test_make_edge_writes_the_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    template, page = tmp_path / "template.yaml", tmp_path / "page.md"
    marks = "      # {0}:begin - by make edge\n      FunctionCode: old\n      # {0}:end\n"
    names = ("edge", "dialects", "drop-in-dialects", "drop-in-vary", "dialect-behaviours")
    vary = "  VaryFunction:\n        - |\n          const a = '${Vary}';${More}\n        - Vary: b\n"
    template.write_text("".join(map(marks.format, names)) + vary)
    page.write_text("# Size\n\nThe code has 1 of 2 bytes; 1 are free. More.\n")
    monkeypatch.setattr(build, "TEMPLATE", template)
    monkeypatch.setattr(build, "PAGE", page)
    build.main()
    free = MAX_BYTES - len(CODE)
    assert page.read_text() == f"# Size\n\nThe code has {len(CODE):,} of 10,240 bytes; {free:,} are free. More.\n"
    written = template.read_text()
    assert written.startswith(
        '      # edge:begin - by make edge\n      FunctionCode: !Join\n        - ""\n'
        f"        - - {CRYPTO_IMPORT}\n          - !If [HasEdgeStore"
    )
    assert written.endswith(f"{dialect_behaviours()}      # dialect-behaviours:end\n{vary}")
    edge, chosen, dialects, copied, own = written.split("|-\n")[1:]
    choice = f'\n          - !If [HasFailover, "{CHOICE}", "0"]\n          - '
    rest = re.sub("^ {12}", "", edge.replace(choice, CHOICE) + chosen.lstrip(), flags=re.MULTILINE)
    assert rest.startswith(f"{CODE.removeprefix(CRYPTO_IMPORT + STORE_IMPORT)}\n      # edge:end")
    dialects = re.sub("^ {8}", "", dialects, flags=re.MULTILINE)
    assert dialects.startswith(f"{dialects_code()}\n      # dialects:end")
    copied = re.sub("^ {8}", "", copied, flags=re.MULTILINE)
    assert copied.startswith(f"{dialects_code()}\n      # drop-in-dialects:end")
    assert own.startswith("          let a='${Vary}';\n        - Vary: !If [HasCors, ")
    assert f"{len(CODE):,} of 10,240 bytes" in capsys.readouterr().out


def test_make_edge_refuses_code_that_cloudfront_would_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "MAX_BYTES", 5_000)
    with pytest.raises(SystemExit, match="presets to spare"):
        build.main()
