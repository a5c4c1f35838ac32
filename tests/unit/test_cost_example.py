"""README's example of costs is that of the measurements, and says where Darkroom costs more."""

from __future__ import annotations

import re

import pytest

from bench.cost import PAGE
from bench.cost.example import format_cost_example, read_misses, read_month
from tools.generated_blocks import ROOT, fill
from tools.url_reference import CONTENT

ROWS = """
| a month in the cheapest way, USD | Darkroom | AWS's own | imgproxy on Fargate |
| --- | ---: | ---: | ---: |
| storage | 200.00 | 300.00 | 400.00 |
| **together** | 300.00 | 400.00 | 500.00 |

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
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert fill(text, CONTENT) == text, "make docs"
    [said] = re.findall(r"<!-- cost-example -->(.*)<!-- /cost-example -->", text, re.DOTALL)
    measured = read_misses(PAGE.read_text(encoding="utf-8"))
    assert measured["once"]["Darkroom"] > measured["once"]["AWS's own"]
    month = read_month(PAGE.read_text(encoding="utf-8"))
    assert month["Darkroom"] > month["AWS's own"], "the sentence states it"
    more = f"{100 * (month['Darkroom'] / month["AWS's own"] - 1):.0f} % more"
    assert f"pays {month['Darkroom']:.0f} USD a month, {more} than with AWS" in " ".join(said.split())
    assert f"(AWS's {measured['once']["AWS's own"]:.2f})" in said
    for number in (measured["once"]["Darkroom"], measured["5 times"]["Darkroom"]):
        assert f"{number:.2f} USD" in said
    assert all(len(line) <= 120 for line in said.splitlines())


def test_the_sentence_follows_the_measurements() -> None:
    said = " ".join(format_cost_example(ROWS).split())
    assert "pays 300 USD a month, 25 % less than with AWS" in said
    assert "cost 6.00 USD if each image is missed once (AWS's 8.00)" in said
    assert "1.50 USD if each is missed five times" in said
    with pytest.raises(ValueError, match="no month"):
        read_month("")
