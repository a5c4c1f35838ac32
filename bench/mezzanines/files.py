"""Mezzanines of the benchmark's images, as files for the link (:mod:`bench.link`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from darkroom.image_keys import mezzanine_name
from darkroom.imaging.render.render_many import decode_once
from darkroom.imaging.rendered_image import MezzanineOf
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.services.caching import MASTER_HEADER

from ..build_cache import build_once
from ..paths import ROOT, WORK


def make_mezzanines(master: bytes) -> list[tuple[MezzanineOf, bytes]]:
    """Return the mezzanines that ingest stores for ``master``, the smaller one first."""
    batch = decode_once(Source.from_bytes(master), [], limits=Limits(), mezzanines=True)
    return [(of, one.body) for of, one in batch.render_all() if isinstance(of, MezzanineOf)]


def write_mezzanines(files: Sequence[Path]) -> Path:
    """Return a folder with the mezzanines of ``files``, made again if they or the code have changed."""

    def make(folder: Path) -> None:
        for file in files:
            for of, body in make_mezzanines(file.read_bytes()):
                path = folder / file.name / mezzanine_name("", of.side_px).rpartition("/")[2]
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(body)
                headers = {"content-type": "image/jpeg", f"x-amz-meta-{MASTER_HEADER}": of.master_header}
                Path(f"{path}.json").write_text(json.dumps(headers), encoding="ascii")

    imaging = ROOT / "layers" / "darkroom" / "darkroom"
    return build_once(WORK / "mezzanines", [*files, imaging / "imaging", imaging / "plan"], make)
