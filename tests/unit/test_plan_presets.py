"""presets.toml, and the errors for mistakes in it."""

from __future__ import annotations

import pytest

from darkroom.errors import BadOption
from darkroom.plan.model import Gravity, Plan
from darkroom.plan.presets import load_default_presets, parse_presets_toml, read_presets_file

TEXT = """
[presets.thumb]
width = 100
h = 50
fit = "cover"
gravity = "fp:0.1:0.9"
dpr = 1.5
up = true
anim = false

[presets.a-1]
q = 80

[watermarks]
logo = "watermarks/logo.png"
x9 = "watermarks/other.svg"
"""


def test_metadata_of_a_file() -> None:
    presets = parse_presets_toml(TEXT)
    assert presets.options["thumb"] == {
        "w": "100",
        "h": "50",
        "fit": "cover",
        "g": "fp:0.1:0.9",
        "dpr": "1.5",
        "up": "1",
        "anim": "0",
    }
    assert presets.parse_values("a-1") == {"q": 80}
    assert presets.build_plans("k") == {
        "thumb": Plan(
            "k", width=150, height=75, fit="cover", gravity=Gravity("fp", 0.1, 0.9), upscale=True, animate=False
        ),
        "a-1": Plan("k", quality=80),
    }
    assert presets.watermarks == {"logo": "watermarks/logo.png", "x9": "watermarks/other.svg"}


def test_an_empty_file_has_no_presets() -> None:
    presets = parse_presets_toml("")
    assert presets.options == {}
    assert presets.watermarks == {}
    with pytest.raises(BadOption, match="there is no preset 'a'"):
        presets.parse_values("a")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[presets.Thumb]\nw = 1", "preset 'Thumb': the name must be of a-z, 0-9 and -"),
        ("[presets.-a]\nw = 1", "preset '-a': the name must be"),
        ("[presets.a]\nw = 0", "preset 'a': w must be a whole number from 1 to 8192, not '0'"),
        ("[presets.a]\nwidth = 'x'", "preset 'a': w must be a whole number from 1 to 8192, not 'x'"),
        ("[presets.a]\nsize = 1", "preset 'a': 'size' is not an option a preset can have"),
        ("[presets.a]\npreset = 'b'", "preset 'a': 'preset' is not an option a preset can have"),
        ("[presets.a]\nexp = 5", "'exp' is not an option"),
        ("[presets.a]\nsignature = 'x'", "'s' is not an option"),
        ("[presets.a]\ng = 'faces'", "preset 'a': g must be one of center"),
        ("[presets.a]\nfv = '1'", "'fv' is not an option"),
        ("[presets.a]\nredact = 'all'\npage = 1", "preset 'a': Only page 0 can be redacted"),
        (f"[presets.a]\ndl = '{'_' * 30}'", "preset 'a': the options are longer than 80 characters together"),
        ("[watermarks]\nLogo = 'a'", "watermarks: 'Logo' is not a name of a-z and 0-9"),
        ("[watermarks]\n'a b' = 'a'", "watermarks: 'a b' is not a name"),
        ("[watermarks]\n'é' = 'a'", "watermarks: 'é' is not a name"),
        ("[presets", "Expected ']'"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(ValueError) as refusal:
        parse_presets_toml(text)
    assert message in str(refusal.value)


def test_the_presets_of_this_deployment_are_well() -> None:
    assert load_default_presets().options
    assert load_default_presets() is load_default_presets()
    assert load_default_presets() == parse_presets_toml(read_presets_file())
