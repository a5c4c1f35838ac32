"""SVG: drawing elements are kept, everything else is removed."""

from __future__ import annotations

import subprocess
import sys
import time
from base64 import b64encode
from contextlib import suppress
from pathlib import Path

import pytest
import pyvips

from darkroom.errors import DamagedSource, DarkroomError, OverLimits, TypeNotAllowed
from darkroom.imaging.formats.probe import probe
from darkroom.imaging.formats.svg import sanitise
from darkroom.imaging.formats.svg.document import read_size
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from tests.images.drawn import png_of_size, saved
from tests.peak_memory import READ_PEAK
from tests.waiting import HANG_S

NAMES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def document(content: str, attributes: str = 'width="100" height="80"') -> bytes:
    return f"<svg {NAMES} {attributes}>{content}</svg>".encode()


def clean(content: str, attributes: str = 'width="100" height="80"') -> str:
    return sanitise.sanitise(document(content, attributes)).decode()


def drawn(data: bytes) -> pyvips.Image:
    return pyvips.Image.svgload_buffer(data).copy_memory()


def data_url(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{b64encode(data).decode()}"


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('width="100" height="80"', (100, 80)),
        ('width="100px" height="80.4px"', (100, 80)),
        ('width="1in" height="2.54cm"', (96, 96)),
        ('width="72pt" height="6pc"', (96, 96)),
        ('viewBox="0 0 300 200"', (300, 200)),
        ('width="150" viewBox="0 0 300 200"', (150, 100)),
        ('height="50" viewBox="0 0 300 200"', (75, 50)),
        ('width="100%" height="100%" viewBox="0,0,30,20"', (30, 20)),
        ('width="100%"', (300, 150)),
        ("", (300, 150)),
        ('width="0" height="-5" viewBox="0 0 0 0"', (300, 150)),
        ('width="0.1" height="0.1"', (1, 1)),
    ],
)
def test_size_by_the_rules_of_css(attributes: str, size: tuple[int, int]) -> None:
    data = document('<rect width="10" height="10"/>', attributes)
    assert read_size(data) == size
    image = drawn(sanitise.sanitise(data))
    assert (image.width, image.height) == size


IMAGE = """
  <defs>
    <linearGradient id="g"><stop stop-color="#f00"/><stop offset="1" style="stop-color:blue"/></linearGradient>
    <clipPath id="c"><circle cx="50" cy="40" r="35"/></clipPath>
    <filter id="f"><feGaussianBlur stdDeviation="2"/></filter>
    <pattern id="p" width="10" height="10" patternUnits="userSpaceOnUse"><rect width="5" height="5"/></pattern>
    <mask id="m"><rect width="100" height="80" fill="white" opacity="0.7"/></mask>
    <marker id="k" markerWidth="4" markerHeight="4"><rect width="4" height="4" fill="lime"/></marker>
    <symbol id="s" viewBox="0 0 10 10"><path d="M0 0L10 10" stroke="black"/></symbol>
  </defs>
  <style>.a{fill:url(#g)} .b { stroke : green ; stroke-width:3 } /* note */ @media print { .a { fill: none } }</style>
  <g class="a b" clip-path="url(#c)"><rect width="100" height="80"/></g>
  <ellipse cx="20" cy="20" rx="15" ry="9" fill="url(#p)" filter="url(#f)" mask="url(#m)"/>
  <polyline points="10,70 50,60 90,70" fill="none" stroke="red" marker-mid="url(#k)"/>
  <use xlink:href="#s" x="60" y="10" width="20" height="20" transform="rotate(10 60 10)"/>
"""


def test_a_drawing_stays_the_same() -> None:
    before = document(IMAGE)
    after = sanitise.sanitise(before)
    assert (drawn(before).cast("float") - drawn(after).cast("float")).abs().max() == 0
    assert sanitise.sanitise(after) == after


def test_a_prefix_for_every_name_is_understood() -> None:
    data = (
        b"""<s:svg xmlns:s="http://www.w3.org/2000/svg" width="9" height="9"><s:rect width="9" height="9"/></s:svg>"""
    )
    assert drawn(sanitise.sanitise(data))(4, 4)[3] == 255


def test_utf_16_is_read() -> None:
    text = '<?xml version="1.0" encoding="UTF-16"?>' + document("<text>ü</text>").decode()
    assert "ü" in sanitise.sanitise(text.encode("utf-16")).decode()


@pytest.mark.parametrize(
    "content",
    [
        "<script>steal()</script>",
        '<script xlink:href="https://evil.example/x.js"/>',
        '<rect onload="steal()" onclick="steal()" width="5" height="5"/>',
        '<a xlink:href="javascript:steal()"><rect width="5" height="5"/></a>',
        '<foreignObject width="9" height="9"><body xmlns="http://www.w3.org/1999/xhtml">steal</body></foreignObject>',
        '<iframe src="https://evil.example"/>',
        '<animate attributeName="href" values="javascript:steal()"/>',
        '<set attributeName="onload" to="steal()"/>',
        '<handler xmlns="http://www.w3.org/2001/xml-events">steal()</handler>',
        '<image xlink:href="https://evil.example/pixel.png" width="9" height="9"/>',
        '<image href="file:///etc/passwd" width="9" height="9"/>',
        '<image href="//evil.example/x.png" width="9" height="9"/>',
        '<image href="data:image/svg+xml;base64,PHN2Zy8+" width="9" height="9"/>',
        '<use xlink:href="https://evil.example/x.svg#a"/>',
        '<use href="other.svg#evil"/>',
        '<rect fill="url(https://evil.example/x.svg#a)" width="5" height="5"/>',
        '<rect style="fill:url(//evil.example/x);background:URL( \'evil.example\' )" width="5" height="5"/>',
        '<rect style="fill:u\\72l(//evil.example/x)" width="5" height="5"/>',
        '<style>@import url("https://evil.example/x.css");</style>',
        "<style>@import 'https://evil.example/x.css'; rect{}</style>",
        "<style>@font-face{font-family:x;src:url(https://evil.example/x.woff)}</style>",
        "<style>rect{fill:url(https://evil.example/x)}</style>",
        "<style>@\\69mport 'https://evil.example/x.css';</style>",
        "<style>a{}/* */@import/* */url(//evil.example/x);</style>",
        '<filter id="f"><feImage xlink:href="https://evil.example/x.png"/></filter>',
        '<text><tref xlink:href="https://evil.example/x"/></text>',
        "<metadata>evil secret</metadata><title>evil</title><desc>evil</desc>",
        '<g xml:base="https://evil.example/"/>',
        '<!-- evil --><?xml-stylesheet href="https://evil.example/x.css"?>',
        '<evil:rect xmlns:evil="urn:evil" steal="steal"/>',
        '<font-face-uri xlink:href="https://evil.example/x"/>',
        '<cursor xlink:href="https://evil.example/x.cur"/>',
        '<color-profile xlink:href="https://evil.example/x.icc"/>',
    ],
)
def test_what_fetches_or_scripts_is_gone(content: str) -> None:
    result = clean(content)
    for trace in ("evil", "steal", "script", "import", "passwd", "data:", "font-face", "http", "\\"):
        assert trace not in result.replace('xmlns="http://www.w3.org/2000/svg"', ""), result


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE svg [<!ENTITY a "x">]>',
        '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE svg [<!ENTITY % a SYSTEM "http://evil.example/x.dtd"> %a;]>',
    ],
)
def test_entities_are_refused(doctype: str) -> None:
    data = doctype.encode() + document("<text>&a;</text>")
    with pytest.raises(TypeNotAllowed, match="entities"):
        sanitise.sanitise(data)


def test_a_document_type_without_entities_is_let_through() -> None:
    doctype = b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    assert b"DOCTYPE" not in sanitise.sanitise(doctype + document('<rect width="5" height="5"/>'))


def test_embedded_images_are_checked() -> None:
    for form, kind in (("PNG", "png"), ("JPEG", "jpeg"), ("GIF", "gif"), ("WEBP", "webp")):
        assert "<image" in clean(f'<image width="9" height="9" href="{data_url(saved(form), kind)}"/>')
    assert "image/png" in clean(f'<image width="9" height="9" href="{data_url(saved("PNG"), "jpeg")}"/>')
    for bad in (png_of_size(65_000, 65_000), saved("TIFF"), saved("PNG")[:20], document("<rect/>")):
        assert "<image" not in clean(f'<image width="9" height="9" href="{data_url(bad)}"/>')


def test_marks_in_text_and_attributes_stay_marks() -> None:
    result = clean('<text font-family="a&amp;b">1 &lt; 2 &amp;&amp; 3 &gt; 2</text>')
    assert "1 &lt; 2 &amp;&amp; 3 &gt; 2" in result
    assert 'font-family="a&amp;b"' in result
    assert sanitise.sanitise(result.encode()).decode() == result


@pytest.mark.parametrize(
    "data",
    [
        b"<svg",
        b"<svg></g>",
        b"<svg xmlns='http://www.w3.org/2000/svg'><rect></svg>",
        b"<html><svg/></html>",
        b"\xff\xfe<",
    ],
)
def test_what_is_not_well_formed(data: bytes) -> None:
    with pytest.raises(DamagedSource) as caught:
        sanitise.sanitise(data)
    assert caught.value.message == "The source image is damaged"


def nested(count: int, link: str) -> str:
    """``count`` levels, each ten times the one before."""
    levels = "".join(f'<g id="a{level}">{link.format(level - 1) * 10}</g>' for level in range(1, count))
    return f'<defs><rect id="a0" width="9" height="9"/>{levels}</defs>{link.format(count - 1)}'


def masks(count: int) -> str:
    twice = '<rect width="99" height="99" fill="white" mask="url(#m{0})"/>' * 2
    return "".join(f'<mask id="m{i}">{twice.format(i - 1)}</mask>' for i in range(count)) + twice.format(count - 1)


def patterns(count: int) -> str:
    many = '<rect width="1" height="1" fill="url(#p{0})"/>' * 10
    return "".join(
        f'<pattern id="p{i}" width="1" height="1" patternUnits="userSpaceOnUse">{many.format(i - 1)}</pattern>'
        for i in range(count)
    ) + many.format(count - 1)


LARGE = 'width="3000" height="3000"'
BOMBS = {
    "use": nested(9, '<use xlink:href="#a{}"/>'),
    "use by a style": "<style>*{mask:url(#m9)}</style>" + masks(10) + '<rect width="9" height="9"/>' * 99,
    "use by a class": "<style>.x,.y{filter:url(#f)}</style><filter id='f'><feGaussianBlur stdDeviation='9'/></filter>"
    + '<rect class="x" width="99" height="99"/>' * 100,
    "masks": masks(16),
    "results of a filter": f'<filter id="f">{"".join(f'<feOffset result="r{n}"/>' for n in range(20))}</filter>'
    '<rect filter="url(#f)"/>',
    "patterns": patterns(9),
    "filters": '<filter id="f"><feGaussianBlur stdDeviation="20"/></filter>'
    + '<rect width="99" height="99" filter="url(#f)"/>' * 100,
    "one long filter": f'<filter id="f">{"<feGaussianBlur stdDeviation='9'/>" * 50}</filter><rect filter="url(#f)"/>',
    "markers": f'<marker id="m">{"<rect/>" * 100}</marker><path marker-mid="url(#m)" d="M0 0{" L5 5" * 9000}"/>',
    "dashes": f'<path d="{"M0 0L999 999" * 20}" stroke="red" stroke-linecap="round" stroke-dasharray=".01"/>',
    "dashes of a group": f'<g style="stroke-dasharray: .01">{"<circle r='99' stroke='red'/>" * 9}</g>',
    "dashes of a rule": f"<style>.d{{stroke-dasharray:.001}}</style>{"<rect class='d' width='99' height='99'/>" * 3}",
    "dashes of a use": f'<path id="p" d="{"h999h-999" * 99}"/><use href="#p" stroke-dasharray=".1"/>',
    "dashes far away": '<path d="M0 0L1e6 1e6" stroke="black" stroke-dasharray="0.001"/>',
    "dashes beside an invalid declaration": "<rect width='900' height='900' style='stroke-dasharray:.002;"
    "stroke-dasharray:no'/>",
    "dashes of an attribute below an invalid style": "<rect width='900' height='900' style='stroke-dasharray:-5'"
    " stroke-dasharray='.002'/>",
    "dashes that an invalid value inherits": "<g stroke-dasharray='.002'><rect width='900' height='900' "
    "stroke-dasharray='5 no'/></g>",
    "dashes of a small font": "<rect width='900' height='900' font-size='.0001' stroke-dasharray='9em'/>",
    "dashes of a small percentage": "<svg viewBox='0 0 900 .01'><rect width='900' height='900' "
    "stroke-dasharray='5%'/></svg>",
    "dashes of inches": "<rect width='9in' height='9in' stroke-dasharray='.01'/>" * 9,
    "dashes of percents": "<svg viewBox='0 0 1e6 1e6'><line x2='99%' stroke-dasharray='1'/></svg>",
    "dashes of a declared size": "<circle style='r:900px' stroke-dasharray='.01'/>" * 9,
    "dashes of a size in a rule": "<style>circle{fill:red;r:900px}</style>" + "<circle stroke-dasharray='.01'/>" * 9,
    "dashes of large letters": '<text font-size="1000" stroke="red" stroke-dasharray=".002">MM</text>',
    "dashes of nested letters": '<g style="font-size:9em"><g style="font: 20em x">'
    '<text stroke-dasharray=".01">M</text></g></g>',
    "text": f"<text>{'Hello' * 100_000}</text>",
    "depth": "<g>" * 200 + "</g>" * 200,
    "a chain": "".join(f'<g id="c{i}"><use href="#c{i + 1}"/></g>' for i in range(1000)),
    "elements": "<rect/>" * 100_001,
    "bytes": f"<!--{' ' * 5_300_000}-->",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_at_once(name: str) -> None:
    with pytest.raises(OverLimits, match="SVG"):
        sanitise.sanitise(document(BOMBS[name], LARGE))


SMALL_REGION = 'filterUnits="userSpaceOnUse" x="0" y="0" width="1" height="1"'
NOT_COUNTED = {
    "a length that is no number": ("", '<line x1="1e999" x2="1e999" y2="1" stroke-dasharray="1"/>'),
    "a path that is no number": ("", '<path d="M1e999 0L1e999 5" stroke-dasharray="3"/>'),
    "a negative length": ("", '<rect width="-1e9" height="1" stroke-dasharray="1"/>'),
    "a negative radius": ("", '<circle r="-1e9" stroke-dasharray="1"/>'),
    "a negative view box": ('viewBox="0 0 -1 1"', ""),
    "an infinite view box": ('viewBox="0 0 inf 1"', ""),
    "a view box larger than the image": ('viewBox="0 0 3000 1" preserveAspectRatio="xMidYMid slice"', ""),
}


@pytest.mark.parametrize("name", NOT_COUNTED)
def test_nothing_makes_an_expensive_filter_cheap(name: str) -> None:
    root, content = NOT_COUNTED[name]
    blurs = "<feGaussianBlur stdDeviation='9'/>" * 50
    drawn = f'<filter id="f" {SMALL_REGION if root else ""}>{blurs}</filter><rect filter="url(#f)"/>{content}'
    with pytest.raises(OverLimits, match="SVG"):
        sanitise.sanitise(document(drawn, f"{LARGE} {root}"))


def test_the_size_of_the_output_counts() -> None:
    data = document('<filter id="f"><feGaussianBlur stdDeviation="9"/></filter><rect filter="url(#f)"/>')
    sanitise.sanitise(data, scale=10)
    with pytest.raises(OverLimits, match="SVG"):
        sanitise.sanitise(data, scale=60)


def test_filters_of_a_known_region_cost_what_they_cover() -> None:
    small = 'filterUnits="userSpaceOnUse" x="0" y="0" width="90" height="90"'
    blurs = "".join(f'<filter id="f{n}" {small}>{"<feGaussianBlur/>" * 5}</filter>' for n in range(40))
    drawn = "".join(f'<rect filter="url(#f{n})"/>' for n in range(40))
    size = 'width="1500" height="1500"'
    sanitise.sanitise(document(blurs + drawn, size))
    with pytest.raises(OverLimits, match="SVG"):
        sanitise.sanitise(document(blurs + f'<g transform="scale(9)">{drawn}</g>', size))


@pytest.mark.parametrize(
    "line",
    [
        '<path d="M0 0L9 9" stroke-dasharray=".01" vector-effect="non-scaling-stroke"/>',
        '<path d="M0 0L9 9" style="stroke-dasharray:.01; vector-effect : non-scaling-stroke; stroke-width:2"/>',
        '<style>path{vector-effect:non-scaling-stroke}</style><g stroke-dasharray=".01"><path d="M0 0L9 9"/></g>',
    ],
)
def test_dashes_scale_with_their_line(line: str) -> None:
    """Else two bytes of a transform multiply them: at 1,000 this line has a million, of 600 bytes each."""
    assert "non-scaling-stroke" not in clean(f'<g transform="scale(1000)">{line}</g>')


def test_strokes_without_dashes_need_not_scale() -> None:
    assert "non-scaling-stroke" in clean('<path d="M0 0L9 9" vector-effect="non-scaling-stroke"/>')


def test_a_chart_with_dashed_lines_and_relative_fonts_is_let_through() -> None:
    sheet = "<style>.grid{stroke-dasharray:4}.label{font-size:.8em}.title{font-size:1.2em}</style>"
    labels = "<g><text class='label'>Hello, world</text></g>" * 200 + "<text style='font-size:1.1em'>Title</text>" * 20
    bars = "<rect class='bar' width='9' height='99' style='fill:red; stroke-width: 2px'/>" * 200
    sheet += "<style>svg{width:100%;height:500px}.grid path{fill:none}</style>"
    root = 'width="900" height="600" style="width:100%"'
    sanitise.sanitise(document(sheet + labels + bars + "<path class='grid' d='M0 0L900 0'/>" * 20, root))


def test_a_filter_with_a_few_results_is_let_through() -> None:
    results = "".join(f'<feOffset result="r{number}"/>' for number in range(6))
    sanitise.sanitise(document(f'<filter id="f">{results}</filter><rect filter="url(#f)"/>', LARGE))


def test_dashes_of_usual_length_are_let_through() -> None:
    line = '<path d="M0 0C10 10 500 200 900 900" fill="none" stroke="red" stroke-dasharray="4 2"/>'
    clean(line * 300, LARGE)


LINEAR = {
    "dashes": '<path stroke-dasharray="9" d="{}"/>'.format("l1 1" * 50_000),
    "at-rules": "<style>{}</style>".format("@" * 500_000),
    "comments": "<style>{}</style>".format("/*" * 250_000),
    "a selector": "<style>{}</style>".format("a" * 500_000),
    "selectors": "<style>{}b{{fill:url(#a)}}</style>".format("a " * 250_000),
    "references in a style": "<style>a{{fill:{}}}</style>".format("url(#" * 100_000),
    "references in an attribute": '<rect fill="{}"/>'.format("url(#" * 100_000),
    "rules and elements": "<style>{}</style>{}".format("*{fill:url(#a)}" * 10_000, "<rect/>" * 10_000),
    "digits": '<svg width="{}!"/>'.format("1" * 500_000),
    "a data URL": '<image href="data:image/png;base64,{}!"/>'.format("A " * 250_000),
}


@pytest.mark.sample(5)
@pytest.mark.parametrize("name", LINEAR)
def test_reading_takes_time_in_proportion_to_the_size(name: str) -> None:
    """Each took minutes by the square. CPU time of this thread, which no other process adds to; a second is ample."""
    started_s = time.thread_time()
    with suppress(DarkroomError):
        sanitise.sanitise(document(LINEAR[name]))
    assert time.thread_time() - started_s < 10


@pytest.mark.parametrize(
    ("content", "left"),
    [
        ('<g systemLanguage="de"/><rect systemLanguage="fr, en-GB"/>', "<rect></rect>"),
        ('<switch><g systemLanguage="de"/><rect/></switch>', "<switch><rect></rect></switch>"),
        ('<switch><g requiredExtensions="urn:x"/><rect/></switch>', '<g requiredExtensions="urn:x">'),
        ("<switch><foreignObject/><rect/></switch>", "<switch><rect></rect></switch>"),
    ],
)
def test_conditions_are_evaluated_for_english(content: str, left: str) -> None:
    assert left in clean(content)
    assert "systemLanguage" not in clean(content)


def test_siblings_that_are_removed_still_count() -> None:
    style = "<style>rect:first-child{fill:#f00} rect{fill:#0f0}</style>"
    data = document(f'{style}<g><title>t</title><rect width="100" height="80"/></g>')
    assert drawn(data)(5, 5) == drawn(sanitise.sanitise(data))(5, 5) == [0, 255, 0, 255]


def test_circles_are_no_bombs() -> None:
    assert "use" in clean('<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>')


DRAW = """
import resource, sys, pyvips
from darkroom.imaging.formats.svg.sanitise import sanitise
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
pyvips.Image.svgload_buffer(b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>').avg()
before = read_peak_kb()
try:
    pyvips.Image.svgload_buffer(sanitise(sys.stdin.buffer.read())).avg()
except pyvips.Error:
    pass
print(read_peak_kb() - before)
"""


@pytest.mark.sample(9)
@pytest.mark.parametrize(
    "content",
    [
        '<pattern id="p" width="1e6" height="1e6" patternUnits="userSpaceOnUse"><rect width="1e6"/></pattern>'
        '<rect width="1000" height="1000" fill="url(#p)"/>',
        '<path d="M0 0L1e4 1e4" stroke="black" stroke-linecap="round" stroke-width="9" stroke-dasharray="1"/>',
        '<filter id="f"><feGaussianBlur stdDeviation="1e5"/></filter><rect width="500" height="500" filter="url(#f)"/>',
        "<g opacity='0.9'>" * 100 + "<rect width='900' height='900'/>" + "</g>" * 100,
        '<filter id="f"><feMorphology radius="500"/></filter><rect width="1000" height="1000" filter="url(#f)"/>',
        f'<image width="900" height="900" href="{data_url(png_of_size(2000, 2000))}"/>',
    ],
)
def test_what_is_let_through_draws_within_bounds(content: str) -> None:
    layer = Path(__file__).parents[3] / "layers" / "darkroom"
    done = subprocess.run(
        [sys.executable, "-c", READ_PEAK + DRAW],
        input=document(content, 'width="1000" height="1000"'),
        capture_output=True,
        check=True,
        timeout=HANG_S,
        env={"PYTHONPATH": str(layer)},
    )
    assert int(done.stdout) < 150 * 1024


def test_the_header_goes_through_the_same_door() -> None:
    with pytest.raises(DarkroomError):
        probe(Source.from_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'" + b" " * 6_000_000 + b"/>"), Limits())
