"""What a Cloudflare URL says, in Cloudflare's own terms."""

from __future__ import annotations

from dataclasses import dataclass

from ...plan.model import Gravity


@dataclass(slots=True)
class CloudflareOptions:
    """Every option that says something about the picture, at Cloudflare's default. Sizes in px before ``dpr``."""

    width: int = 0
    height: int = 0
    dpr: float = 1.0
    fit: str = "scale-down"
    gravity: Gravity = Gravity()
    zoom: float = 0.0
    trim: tuple[int, int, int, int] | None = None
    trim_left: int = 0
    trim_top: int = 0
    trim_width: int = 0
    trim_height: int = 0
    rotate: int = 0
    flip: str = "none"
    background: str = ""
    blur: float = 0.0
    sharpen: float = 0.0
    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    gamma: float = 1.0
    format: str = ""
    quality: int = 0
    saving_quality: int = 0
    animated: bool = True
