"""docs/reference/settings.md matches the code."""

from __future__ import annotations

import re
import tomllib

from darkroom.settings import DEFAULTS, list_setting_fields, parse_settings
from tools.generated_blocks import fill
from tools.settings_page import CONTENT, PAGE


def test_the_page_is_fresh() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert fill(page, CONTENT) == page, "run `make docs`"


def test_the_example_is_valid() -> None:
    [example] = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    settings = parse_settings(tomllib.loads(example))
    assert settings.presets.at_ingest == ("banner",)
    assert settings.always_redact.find("people/ada.jpg").redact == "faces"
    assert settings != DEFAULTS


def test_every_moved_parameter_is_a_setting_now() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("| parameter before | setting |")[2].partition("\n\n")[0]
    moved = re.findall(r"^\| `\w+` \| `(\w+)` \|$", table, re.MULTILINE)
    assert len(set(moved)) == len(moved) == 30
    assert set(moved) <= {one.name for one in list_setting_fields()}
