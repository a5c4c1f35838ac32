"""The plug-in of the option ``ov``. What it needs is loaded for plans with overlays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..plan.option_plugins import OptionPlugin
from . import FILES_BELOW, OPTION

if TYPE_CHECKING:
    from ..imaging.render.context import RenderContext


def _check(text: str) -> None:
    from .language import parse_overlays

    parse_overlays(text)


def _list_files(text: str) -> Iterable[str]:
    from .language import list_files

    return list_files(text)


def _draw(context: RenderContext) -> None:
    from .draw import draw_overlays

    draw_overlays(context)


OVERLAYS = OptionPlugin(OPTION, _check, _list_files, FILES_BELOW, _draw)
