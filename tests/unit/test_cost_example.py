"""README's example of costs is that of the measurements, and says where Darkroom costs more."""

from __future__ import annotations

import re

from bench.cost import PAGE
from bench.cost.example import format_cost_example, read_misses
from tools.url_reference import README, filled

ROWS = """
### 12 MP JPEG to 800 px WebP: USD for a million misses

| missed | Darkroom | ratio | storing nothing | ratio | AWS's own | without API Gateway | ratio |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| once | 6.00 | 0.75 | 3.18 | 0.43 | 8.00 | 3.93 | 2.84 |
| 5 times | 1.50 | 0.19 | 3.18 | 0.43 | 8.00 | 3.93 | 1.47 |

| another | table |
| --- | --- |
| a | b |
"""


def test_readme_has_the_example_of_the_measurements() -> None:
    text = README.read_text(encoding="utf-8")
    assert filled(text) == text, "make docs"
    [said] = re.findall(r"<!-- cost-example -->(.*)<!-- /cost-example -->", text, re.DOTALL)
    measured = read_misses(PAGE.read_text(encoding="utf-8"))
    assert measured["once"]["Darkroom"] > measured["once"]["AWS's own"]
    assert "missed once, 50 % more than AWS" in " ".join(said.split())
    for number in (measured["once"]["Darkroom"], measured["once"]["AWS's own"], measured["5 times"]["Darkroom"]):
        assert f"{number:.2f} USD" in said
    assert all(len(line) <= 120 for line in said.splitlines())


def test_the_sentence_follows_the_measurements() -> None:
    said = " ".join(format_cost_example(ROWS).split())
    assert "cost 6.00 USD if each image is missed once, 25 % less than" in said
    assert "1.50 USD if each is missed five times" in said
