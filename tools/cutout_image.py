"""Write docs/images/cut-outs.jpg, a photograph and two cut-outs of it: ``python -m tools.cutout_image``.

The model of cut-outs has to be in ``.local/cutout-models``, as ``darkroom cutout-model .local/cutout-models`` makes it.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "layers" / "darkroom"))

import numpy as np  # noqa: E402
import skimage  # noqa: E402
from PIL import Image  # noqa: E402

from cli.models.cutout_model import CUTOUT_TABLE  # noqa: E402
from darkroom.findings import CUTOUT, Findings  # noqa: E402
from darkroom.imaging.render.pipeline import render  # noqa: E402
from darkroom.imaging.source import Source  # noqa: E402
from darkroom.plan.limits import Limits  # noqa: E402
from darkroom.plan.native_url import parse_url  # noqa: E402
from darkroom.plan.url_builder import OptionValue, build_target  # noqa: E402
from darkroom_analysis.models.catalogue import load_catalogue  # noqa: E402
from endpoint.cutout import CutoutModel  # noqa: E402

IMAGE = ROOT / "docs" / "images" / "cut-outs.jpg"
MODELS = ROOT / ".local" / "cutout-models"
PHOTOGRAPH = "coffee.png"
"""A file of scikit-image."""

SIDE_PX = 360
PRODUCT: dict[str, OptionValue] = {
    **{"w": SIDE_PX, "h": SIDE_PX, "fit": "letterbox", "trim": 10, "pad": "14", "cutout": 1, "f": "png", "up": 1},
    **{"bg": "ffffff"},
}
"""The preset of docs/guides/cut-outs.md in the size of the figure."""

VARIANTS: tuple[dict[str, OptionValue], ...] = (
    {"h": SIDE_PX + 28, "f": "png", "up": 1},
    PRODUCT,
    PRODUCT | {"bg": "20303c"},
)
GAP_PX = 8


def main() -> None:
    """Analyse the photograph by the endpoint's code, render each variant by the handler's, and join them."""
    body = (Path(skimage.__file__).parent / "data" / PHOTOGRAPH).read_bytes()
    with Image.open(io.BytesIO(body)) as photograph:
        pixels = np.asarray(photograph.convert("RGB"))
    model = CutoutModel(list(load_catalogue(CUTOUT_TABLE).models.values()), MODELS, 0)
    findings = Findings("1", "etag", model.detect_batch([pixels], [[CUTOUT]])[0])
    results = []
    for options in VARIANTS:
        plan = parse_url(build_target("photo.png", options)).plan
        rendered = render(plan, Source.from_bytes(body), limits=Limits(), findings=findings)
        results.append(Image.open(io.BytesIO(rendered.body)).convert("RGB"))
    width = sum(one.width for one in results) + GAP_PX * (len(results) - 1)
    sheet, left = Image.new("RGB", (width, max(one.height for one in results)), "#d8d8d8"), 0
    for one in results:
        sheet.paste(one, (left, 0))
        left += one.width + GAP_PX
    sheet.save(IMAGE, quality=88, optimize=True)
    sys.stdout.write(f"{IMAGE.relative_to(ROOT)}: {IMAGE.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
