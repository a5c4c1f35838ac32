"""Pages escape the hidden characters that Python escapes."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from darkroom.visible_text import escape_controls

ROOT = Path(__file__).parents[3]
MODULES = ("layers/analysis/darkroom_analysis/review/pages/page.js", "frontends/visible-text.mjs")
NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="Node is not installed")
@pytest.mark.parametrize("module", MODULES)
def test_pages_escape_the_same_characters(module: str) -> None:
    """But for line feeds and tabs, which pages keep."""
    code = (
        f"import {{ escapeControls }} from {json.dumps((ROOT / module).as_uri())};\n"
        "const all = Array.from({ length: 0x10000 }, (_, code) => escapeControls(String.fromCharCode(code)));\n"
        "console.log(JSON.stringify(all) + '\\n' + escapeControls('\\u{1f600}\\u{1f468}\\u200d'));\n"
    )
    done = subprocess.run([str(NODE), "--input-type=module", "-e", code], capture_output=True, check=True)
    shown, pair = done.stdout.decode().splitlines()
    assert json.loads(shown) == [escape_controls(chr(code), keep="\n\t") for code in range(0x10000)]
    assert pair == "\U0001f600\U0001f468\u200d"
