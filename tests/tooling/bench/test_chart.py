"""Charts of pages."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from bench.chart import LEAST_GAP_PX, WIDTH_PX, Chart

SVG = "{http://www.w3.org/2000/svg}"


def test_a_chart_has_a_line_and_a_name_for_each_series() -> None:
    chart = Chart("Cost & time", "rank", ["0.7", "0.8", "0.9"], {"all": [1, 2, 0], "none <": [2, 1, 0.01]})
    drawn = ElementTree.fromstring(chart.svg())
    texts = {one.text: one for one in drawn.iter(f"{SVG}text")}
    assert {"Cost & time", "rank", "0.7", "0.8", "0.9", "all", "none <", "0", "0.5", "1", "1.5", "2"} == set(texts)
    lines = [one.get("points", "").split() for one in drawn.iter(f"{SVG}polyline")]
    heights = [[float(point.partition(",")[2]) for point in line] for line in lines]
    assert [len(line) for line in heights] == [3, 3]
    assert heights[0][1] == heights[1][0] < heights[0][0] == heights[1][1] < heights[0][2]
    names = sorted(float(texts[name].get("y", "0")) for name in ("all", "none <"))
    assert names[1] - names[0] >= LEAST_GAP_PX
    assert all(float(point.partition(",")[0]) < WIDTH_PX for line in lines for point in line)


def test_ticks_are_short_numbers() -> None:
    for most, expected in ((0.9, "1.2"), (3.72, "4"), (676, "800"), (1153, "1200")):
        found = re.findall(r'text-anchor="end"[^>]*>([^<]+)<', Chart("", "", ["a"], {"b": [most]}).svg())
        assert (found[0], found[-1]) == ("0", expected)
