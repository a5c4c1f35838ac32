"""Map tiles of georeferenced rasters, and changes between two of them.

Two functions of an extension import it. The package ``darkroom`` never does.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

if (rasterio := find_spec("rasterio")) is not None and rasterio.origin:
    # The layer has one database of coordinate systems, rasterio's. pyproj reads this variable when it is imported.
    os.environ.setdefault("PROJ_DATA", str(Path(rasterio.origin).with_name("proj_data")))
