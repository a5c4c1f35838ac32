"""The options of an imgproxy URL. Later options override earlier ones."""

from __future__ import annotations

from dataclasses import dataclass, field

from darkroom.plan.model import METADATA

from ..common.anchor import Anchor


@dataclass(slots=True)
class ExtendOptions:
    """``extend`` or ``extend_aspect_ratio``."""

    enabled: bool = False
    anchor: Anchor = Anchor()


@dataclass(slots=True)
class WatermarkOptions:
    """``watermark``: ``opacity`` and ``scale`` are fractions; scale 0 is the watermark's own size.

    ``address`` is that of an image that replaces the configured one, ``text`` a text. ``width`` and ``height`` are the
    box of these in px, and ``rotate`` is in degrees.
    """

    opacity: float = 0.0
    position: str = "center"
    x: float = 0.0
    y: float = 0.0
    scale: float = 0.0
    address: str = ""
    text: str = ""
    width: int = 0
    height: int = 0
    rotate: int = 0


@dataclass(slots=True)
class TrimOptions:
    """``trim``: ``threshold`` is None if nothing is trimmed."""

    threshold: float | None = None
    colour: str = ""
    equal_x: bool = False
    equal_y: bool = False


@dataclass(slots=True)
class ImgproxyOptions:
    """All options that affect the result, with imgproxy's defaults. Sizes in px before ``dpr``.

    ``keep_copyright`` is None where the deployment decides; imgproxy has a setting for it, too.
    """

    resizing: str = "fit"
    width: int = 0
    height: int = 0
    min_width: int = 0
    min_height: int = 0
    zoom_x: float = 1.0
    zoom_y: float = 1.0
    dpr: float = 1.0
    enlarge: bool = False
    extend: ExtendOptions = field(default_factory=ExtendOptions)
    extend_ratio: ExtendOptions = field(default_factory=ExtendOptions)
    gravity: Anchor = Anchor()
    crop_width: float = 0.0
    crop_height: float = 0.0
    crop_gravity: Anchor | None = None
    trim: TrimOptions = field(default_factory=TrimOptions)
    padding: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    auto_rotate: bool = True
    rotate: int = 0
    flip_x: bool = False
    flip_y: bool = False
    background: str = ""
    background_alpha: float = 1.0
    brightness: int = 0
    contrast: float = 1.0
    saturation: float = 1.0
    blur: float = 0.0
    sharpen: float = 0.0
    pixelate: int = 0
    watermark: WatermarkOptions = field(default_factory=WatermarkOptions)
    format: str = ""
    quality: int = 0
    format_quality: dict[str, int] = field(default_factory=dict)
    max_bytes: int = 0
    max_side: int = 0
    still: bool = False
    page: int = 0
    skip: set[str] = field(default_factory=set)
    raw: bool = False
    strip_metadata: bool = True
    keep_copyright: bool | None = None
    file_name: str = ""
    attachment: bool = False
    expires_s: int | None = None

    @property
    def metadata(self) -> str:
        """What the file keeps: one of :data:`darkroom.plan.model.METADATA`; empty where the deployment decides.

        All metadata is no more than rights.
        """
        if self.keep_copyright is None and self.strip_metadata:
            return ""
        return METADATA[bool(self.keep_copyright) or not self.strip_metadata]
