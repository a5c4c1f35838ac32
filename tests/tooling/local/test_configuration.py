"""presets.toml, dialects.toml and settings are checked when they are saved; mistakes have a line and a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from darkroom.plan.presets import Presets, parse_presets_toml
from darkroom.settings import InvalidSettings, parse_settings
from darkroom_dialects.settings_file import parse_settings as parse_dialects
from local import configuration
from local.configuration import describe, find_mistakes, parse_toml

PRESETS = """\
# comment
[presets.w320]
w = 320
f = "webp"

[presets."cover"]
width = 256
h = 256

[ingest]
presets = ["w320"]

[watermarks]
logo = "watermarks/logo.png"
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("w = 320", "w = 0", ":3: presets.w320.w: preset 'w320': w must be a whole number from 1 to 8192"),
        ("width = 256", "width = 9000", ":7: presets.cover.width: preset 'cover': w must be a whole number"),
        ('f = "webp"', 'g = "webp"', ":4: presets.w320.g: preset 'w320': g must be"),
        ("\nh = 256", "\nheight2 = 256", ":8: presets.cover.height2: preset 'cover': 'height2' is not an option"),
        ('["w320"]', '["w320", "none"]', ":11: ingest.presets: ingest: there is no preset 'none'"),
        ("logo =", "LOGO =", ":14: watermarks.LOGO: watermarks: 'LOGO' is not a name"),
        ("w = 320", "w = ", ":3: Invalid value (at line 3"),
        ("[presets.w320]", "[presets.W]", ":2: presets.W: preset 'W': the name must be of a-z"),
    ],
)
def test_a_mistake_in_presets_has_its_line_and_key(old: str, new: str, expected: str) -> None:
    text = PRESETS.replace(old, new, 1)
    with pytest.raises(ValueError, match=r"\S") as caught:
        parse_presets_toml(text)
    assert describe(Path("presets.toml"), text, str(caught.value)).startswith(f"presets.toml{expected}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[sources]\n"images" = ""\n', "2: sources.images: sources: 'images' is not like https"),
        ("[imgproxy]\n\nsignature_size = 1\n", "3: imgproxy.signature_size: imgproxy: signature_size must be from"),
        ('[imgproxy]\n[imgproxy.presets]\nthumb = ""\n', "3: imgproxy.presets.thumb: imgproxy: preset 'thumb' must"),
        ("[thumbor]\nsmart = 'eyes'\n", "2: thumbor.smart: thumbor: smart must be attention or face"),
        ("[dit]\nauto = true\n", "2: dit.auto: dit: there is no setting 'auto'"),
        ("[imgprox]\n", "1: dialects: there is no table 'imgprox'"),
    ],
)
def test_a_mistake_in_dialects_has_its_line_and_key(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=r"\S") as caught:
        parse_dialects(text, Presets({}, {}))
    assert describe(Path("d.toml"), text, str(caught.value)).startswith(f"d.toml:{expected}")


def test_each_problem_of_settings_has_its_line_and_key() -> None:
    text = 'keep_gps = true\nmax_source_frames = 0\n\nacess_mode = "open"\n[presets.a]\nw = 0\n'
    with pytest.raises(InvalidSettings) as caught:
        parse_settings(parse_toml(Path("s.toml"), text))
    found = [describe(Path("s.toml"), text, problem) for problem in caught.value.problems]
    assert [one.partition(" must")[0] for one in found] == [
        "s.toml:2: max_source_frames: max_source_frames:",
        "s.toml:4: acess_mode: acess_mode: unknown setting",
        "s.toml:6: presets.a.w: preset 'a': w",
    ]


def test_a_syntax_error_has_its_line() -> None:
    with pytest.raises(ValueError, match=r"s\.toml:2: .*at line 2"):
        parse_toml(Path("s.toml"), "a = 1\nb =\n")


def test_the_files_of_this_checkout_have_no_mistake() -> None:
    assert list(find_mistakes()) == []


def test_the_command_prints_a_line_for_each_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    presets, dialects = tmp_path / "presets.toml", tmp_path / "dialects.toml"
    presets.write_text("[presets.a]\nw = 0\n", encoding="utf-8")
    dialects.write_text("thumbor = 1\n", encoding="utf-8")
    for name, value in (("ROOT", tmp_path), ("PRESETS", presets), ("DIALECTS", dialects)):
        monkeypatch.setattr(configuration, name, value)
    assert configuration.main() == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("presets.toml:2: presets.a.w: ")
    assert second.startswith("dialects.toml:1: ")
    for path in (presets, dialects):
        path.write_text("", encoding="utf-8")
    assert configuration.main() == 0
