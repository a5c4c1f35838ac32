"""The fonts of text: those of Darkroom's layer and no others, so that text is the same on every machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from ..errors import NoFonts

FOLDER_VARIABLE = "FONT_DIR"
"""Names the folder of the layer: a function of the local stack has it elsewhere than in Lambda."""

LAYER_FOLDER = Path("/opt/fonts")
PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk")
"""The packages that the layer is made of, for machines without it."""

VARIABLE = "FONTCONFIG_FILE"


@cache
def use_fonts() -> None:
    """Configure fontconfig before libvips uses it: for text, and for an SVG, which may have some.

    It reads the variable once. A value that the environment has is kept. Its cache is in the temporary folder, since
    Lambda has no other that can be written. Raises NoFonts if there are none: text would be drawn in those of the
    machine, or left out.
    """
    if VARIABLE not in os.environ:
        os.environ[VARIABLE] = str(write_configuration(find_folders()))


def write_configuration(folders: Sequence[Path]) -> Path:
    """Write a configuration of fontconfig with the fonts of ``folders`` only, and return its path."""
    import tempfile
    from hashlib import sha256

    home = Path(tempfile.gettempdir()) / f"darkroom-fonts-{os.getuid()}"
    home.mkdir(mode=0o700, exist_ok=True)
    listed = "".join(f"<dir>{folder}</dir>" for folder in folders)
    text = f'<?xml version="1.0"?><fontconfig>{listed}<cachedir>{home}</cachedir></fontconfig>'
    path = home / f"{sha256(text.encode()).hexdigest()[:16]}.conf"  # processes with other folders have another one
    mine = home / f"fonts-{os.getpid()}.conf"
    mine.write_text(text, "utf-8")
    return mine.replace(path)  # in one step, as another process may read it


def find_folders() -> list[Path]:
    """Return the folder of the layer, or those of the packages that it is made of. Raises NoFonts."""
    layer = Path(os.environ.get(FOLDER_VARIABLE, LAYER_FOLDER))
    if layer.is_dir():
        return [layer]
    from importlib.util import find_spec

    specs = filter(None, map(find_spec, PACKAGES))
    folders = [Path(place) for spec in specs for place in spec.submodule_search_locations or ()]
    if not folders:
        raise NoFonts(detail=f"no folder {layer}, and no packages {', '.join(PACKAGES)}: add the layer of fonts")
    return folders
