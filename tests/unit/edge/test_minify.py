"""The minifier: what it writes, and that this means the same."""

from __future__ import annotations

import json

import pytest
from py_mini_racer import MiniRacer

from functions.edge.minify import minify
from functions.edge.repeated import minify_repeated

NOTHING: frozenset[str] = frozenset()


def test_a_name_inside_and_outside_a_function_is_refused() -> None:
    with pytest.raises(ValueError, match="are names outside and inside"):
        minify("const a = 1; function handler(a) { return a; }", NOTHING)


def test_comments_spaces_and_long_names_are_left_out() -> None:
    source = """
    // a comment
    const first = 'a // b';
    const second = /[/ ]x/g;
    function handler(event) { const sum = event + +event; const gone = sum - -1; return typeof gone + first; }
    """
    assert minify(source, NOTHING) == (
        "let a='a // b',b=/[/ ]x/g;function handler(b){let d=b+ +b,c=d- -1;return typeof c+a}"
    )


@pytest.mark.parametrize(
    ("body", "written"),
    [
        ("if (x) { f(); }", "a&&f()"),
        ("if (!x) { f(); }", "a||f()"),
        ("if (x || y) { f(); }", "if(a||b)f()"),
        ("if (!(x && y)) { f(); }", "a&&b||f()"),
        ("if (x === 1) { delete y.z; }", "a===1&&delete b.z"),
        ("if (x) { y = 1; }", "a&&(b=1)"),
        ("if (x) { if (!y) { f(); } }", "a&&(b||f())"),
        ("if (x) { f(); } else { y = 1; }", "a?f():b=1"),
        ("if (x) { if (y) { f(); } else { g(); } }", "a&&(b?f():g())"),
        ("if (x) { return 1; }", "if(a)return 1"),
        ("if (x) { f(); return 1; }", "if(a){f();return 1}"),
    ],
)
def test_statements_become_expressions(body: str, written: str) -> None:
    assert minify(f"function handler(x, y) {{ {body} }}", NOTHING) == f"function handler(a,b){{{written}}}"


@pytest.mark.parametrize(
    ("function", "written"),
    [
        ("x => { const y = f(x); return y + y; }", "(b,a)=>(a=f(b),a+a)"),
        ("() => { f(); return 1; }", "()=>(f(),1)"),
        ("x => { return {y: x}; }", "a=>({y:a})"),
        ("x => { if (x) { return 1; } f(); return 2; }", "a=>a?1:(f(),2)"),
        ("x => { if (x) { f(); return 1; } return 2; }", "a=>a?(f(),1):2"),
        ("x => { let y; f(y); return y; }", "b=>{let a;f(a);return a}"),
        ("x => { f(x); }", "a=>{f(a)}"),
        ("x => { try { f(x); } catch (error) { g(); } return x; }", "a=>{try{f(a)}catch(b){g()}return a}"),
    ],
)
def test_functions_that_only_compute_become_expressions(function: str, written: str) -> None:
    assert minify(f"handler = {function};", NOTHING) == f"handler={written};"


SOURCE = """
const log = [];
const note = text => log.push(text);
const early = (value, list) => {
    if (value === 'plain') {
        return 'early';
    }
    list.forEach(one => {
        if (one !== 'left') {
            const twice = one + one;
            note(twice);
        }
    });
    if (value || list.length === 2) { note('two'); } else if (!value) { note('none'); } else { note('other'); }
    if (!(value && list.length === 3)) { note('not three'); }
    return list.length === 0 ? 'empty' : list.join('-');
};
const outer = (value, list) => {
    const first = early(value, list);
    if (first) { if (!list.length) { note('nested'); } }
    if (list.length === 3) { note('three'); return 'three'; }
    let best = '';
    list.forEach((one, at, all) => { const next = all[at + 1] || ''; if (next > best) { best = next; } });
    return JSON.stringify([first, best, Math.max(list.length, 1), log]);
};
function handler(value, list) { return outer(value, list); }
"""


@pytest.mark.parametrize("value", ["plain", "left", "", "other"])
@pytest.mark.parametrize("words", [[], ["a"], ["a", "left"], ["c", "b", "a"]])
def test_the_meaning_is_kept(value: str, words: list[str]) -> None:
    call = f";handler({json.dumps(value)}, {json.dumps(words)})"
    found = set()
    for code in (SOURCE, minify(SOURCE, NOTHING), minify_repeated(SOURCE, NOTHING)):
        with MiniRacer() as engine:
            found.add(engine.eval(code + call))
    assert len(found) == 1


def test_repeated_words_are_declared_below_the_import() -> None:
    source = (
        "import cf from 'cloudfront';\n"
        "const f = x => x.length === 3 && x.length > y.length; const g = x => x.length + x.own + x.own + x.own;"
    )
    assert minify_repeated(source, frozenset({"own"})) == (
        "import cf from'cloudfront';let a='length',b=c=>c[a]==3&&c[a]>y[a],c=b=>b[a]+b.a+b.a+b.a;"
    )


def test_a_word_that_saves_nothing_stays() -> None:
    source = "const f = x => x.at + x.at;"
    assert minify_repeated(source, NOTHING) == minify(source, NOTHING) == "let a=b=>b.at+b.at;"


def test_comparisons_that_differ_stay_strict() -> None:
    source = "function handler(x) { return x === '' || x === '1' || x === 1 || x !== 'x' || x === y; }"
    assert minify_repeated(source, NOTHING) == "function handler(a){return a===''||a==='1'||a===1||a!='x'||a===y}"
