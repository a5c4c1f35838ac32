"""Write docs/images/overlays.jpg, a photograph with overlays in four scripts: ``python -m tools.overlay_image``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "layers" / "darkroom"))

import skimage  # noqa: E402

from darkroom.imaging.render.pipeline import render  # noqa: E402
from darkroom.imaging.source import Source  # noqa: E402
from darkroom.overlays.plugin import OVERLAYS as PLUGIN  # noqa: E402
from darkroom.plan.limits import Limits  # noqa: E402
from darkroom.plan.native_url import parse_url  # noqa: E402
from darkroom.plan.option_plugins import register_plugin  # noqa: E402
from darkroom.plan.url_builder import OptionValue, build_target  # noqa: E402

IMAGE = ROOT / "docs" / "images" / "overlays.jpg"
PHOTOGRAPH = "coffee.png"
"""A file of scikit-image."""

OVERLAYS = (
    "text:SALE −50 %,at:northwest,color:000000,back:ffd000,bold:1",
    "text:تخفيضات اليوم,at:northeast,back:00000099",
    "text:מבצע מיוחד 50%,at:southwest,back:00000099",
    "text:限时特价,size:7,color:ff3b30,back:ffffffcc",
    "image:stamp.svg,at:center,width:30,rotate:340,blend:multiply",
)
STAMP = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 80">
<rect x="5" y="5" width="190" height="70" rx="12" fill="none" stroke="#c00" stroke-width="8"/>
<text x="100" y="58" font-family="Noto Sans" font-size="50"
 font-weight="700" text-anchor="middle" fill="#c00">NEW</text>
</svg>"""


def main() -> None:
    """Render the photograph with all overlays."""
    register_plugin(PLUGIN)
    options: dict[str, OptionValue] = {"w": 600, "f": "jpeg", "q": 80, "ov": ";".join(OVERLAYS)}
    plan = parse_url(build_target("photo.png", options)).plan
    source = Source.from_bytes((Path(skimage.__file__).parent / "data" / PHOTOGRAPH).read_bytes())
    IMAGE.write_bytes(render(plan, source, limits=Limits(), overlays={"overlays/stamp.svg": STAMP}).body)
    sys.stdout.write(f"{IMAGE.relative_to(ROOT)}: {IMAGE.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
