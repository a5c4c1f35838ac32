"""Mezzanines of the benchmark's images, as files for the link (:mod:`bench.link`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from darkroom.image_keys import mezzanine_name
from darkroom.imaging.formats.image_format import Header
from darkroom.imaging.render.output import MezzanineOf
from darkroom.imaging.render.pipeline import resolve_geometry
from darkroom.imaging.source import Source
from darkroom.plan.geometry.mezzanines import is_mezzanine_sufficient, list_mezzanine_sizes
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan
from darkroom.plan.variants import list_mezzanines
from darkroom.services.caching import MASTER_HEADER
from darkroom_pipeline.imaging.render_many import decode_once

from .build_cache import build_once
from .paths import ROOT, WORK


def make_mezzanines(master: bytes) -> list[tuple[MezzanineOf, bytes]]:
    """Return the mezzanines that ingest stores for ``master``, the smaller one first."""
    batch = decode_once(Source.from_bytes(master), [], limits=Limits(), mezzanines=True)
    return [(of, one.body) for of, one in batch.render_all() if isinstance(of, MezzanineOf)]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A mezzanine that a request reads in place of the master."""

    side_px: int
    master: Header
    body: bytes


def choose_mezzanine(plan: Plan, made: Sequence[tuple[MezzanineOf, bytes]]) -> Chosen | None:
    """Return the mezzanine of ``made`` that the service chooses for ``plan``, None for the master."""
    by_side_px = {of.side_px: (of, body) for of, body in made}
    for side_px in list_mezzanines(plan):
        if side_px in by_side_px:
            of, body = by_side_px[side_px]
            header = Header.parse(of.master_header)
            geometry = resolve_geometry(plan, header)
            if is_mezzanine_sufficient(geometry, list_mezzanine_sizes(geometry.stored)[side_px]):
                return Chosen(side_px, header, body)
    return None


def find_read_file(image: Path, width: int, others: Sequence[Path]) -> Path:
    """Return the file that a request for ``width`` px reads: a mezzanine of ``image``, or ``image`` itself.

    ``others``: all images that have mezzanines here.
    """
    chosen = choose_mezzanine(Plan(image.name, width=width), make_mezzanines(image.read_bytes()))
    return _path_of(write_mezzanines(others), image, chosen.side_px) if chosen else image


def _path_of(folder: Path, image: Path, side_px: int) -> Path:
    return folder / image.name / mezzanine_name("", side_px).rpartition("/")[2]


def write_mezzanines(files: Sequence[Path]) -> Path:
    """Return a folder with the mezzanines of ``files``, made again if they or the code have changed."""

    def make(folder: Path) -> None:
        for file in files:
            for of, body in make_mezzanines(file.read_bytes()):
                path = _path_of(folder, file, of.side_px)
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(body)
                headers = {"content-type": "image/jpeg", f"x-amz-meta-{MASTER_HEADER}": of.master_header}
                Path(f"{path}.json").write_text(json.dumps(headers), encoding="ascii")

    imaging = ROOT / "layers" / "darkroom" / "darkroom"
    return build_once(WORK / "mezzanines", [*files, imaging / "imaging", imaging / "plan"], make)
