"""imgproxy's options: the table that its URLs are read by."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ...errors import BadOption
from ...plan.options import escape_text
from ..common.mapping import Covered, by_name, reader_of
from ..common.settings import ImgproxySettings
from ..common.validate import refused
from . import option_parsers
from .option_parsers import Read, Reading
from .pro import PRO

LIMITS_HOLD = "Nothing to do: what a source may be is the deployment's to say."


def apply(reading: Reading, segment: str) -> None:
    """Read one option, such as ``w:300``; raises BadOption or UnknownOption that names it."""
    name, *args = segment.split(reading.settings.arguments_separator)
    reader = reader_of(OPTIONS, name)
    if not args:
        raise refused(name, "needs an argument")
    reader(reading, name, args)


def _preset(reading: Reading, name: str, args: list[str]) -> None:
    for preset in args:
        apply_preset(reading, name, preset)


def apply_preset(reading: Reading, option: str, preset: str) -> None:
    """Read the options of a preset. One that is within itself is passed over, as by imgproxy."""
    if preset not in reading.settings.presets:
        raise refused(option, f"there is no preset '{escape_text(preset)}'")
    if preset in reading.presets:
        return
    reading.presets.append(preset)
    for segment in reading.settings.presets[preset].split("/"):
        apply(reading, segment)
    reading.presets.pop()


def check_presets(settings: ImgproxySettings) -> None:
    """Raise ValueError that names a preset which cannot be read."""
    for preset in settings.presets:
        try:
            apply_preset(Reading(settings), "preset", preset)
        except BadOption as error:
            raise ValueError(f"imgproxy: preset {preset!r}: {error.message}") from error


PRO_SERVED: tuple[Covered[Read], ...] = (
    Covered(
        "resizing_algorithm",
        ("ra",),
        "lanczos3",
        note="Other algorithms are refused.",
        read=option_parsers.algorithm,
        group="Pro",
    ),
    Covered("adjust", ("a",), "%brightness:%contrast:%saturation", "mat", read=option_parsers.adjust, group="Pro"),
    Covered(
        "brightness",
        ("br",),
        "-255–255",
        "mat",
        note="Added to each channel. imgproxy Pro's own arithmetic is not published.",
        read=option_parsers.brightness,
        group="Pro",
    ),
    Covered(
        "contrast",
        ("co",),
        "a factor",
        "mat",
        note="Around middle grey.",
        read=partial(option_parsers.sigma, "contrast"),
        group="Pro",
    ),
    Covered(
        "saturation",
        ("sa",),
        "a factor",
        "mat",
        note="Of the distance from grey, by the weights of BT.709.",
        read=partial(option_parsers.sigma, "saturation"),
        group="Pro",
    ),
    Covered("background_alpha", ("bga",), "0–1", "bg", read=option_parsers.background_alpha, group="Pro"),
    Covered(
        "page",
        ("pg",),
        "%page",
        "page",
        note="Of an animation the frame, as a still, also where the output could move.",
        read=partial(option_parsers.size_in_px, "page"),
        group="Pro",
    ),
    Covered(
        "disable_animation", ("da",), "%disable", "anim", read=partial(option_parsers.switch, "still"), group="Pro"
    ),
    Covered(
        "bypass_cache",
        ("bc",),
        "%bypass",
        note="Nothing to do: what is stored is what would be made again.",
        read=option_parsers.nothing,
        group="Pro",
    ),
    Covered(
        "cache_tags",
        ("ct",),
        "%tag1:…",
        note="Ignored: what is cached has no tags.",
        read=option_parsers.names,
        group="Pro",
    ),
)
"""Options of imgproxy Pro whose engine is here."""

COVERAGE: tuple[Covered[Read], ...] = (
    Covered(
        "resize",
        ("rs",),
        "%resizing_type:%width:%height:%enlarge:%extend",
        "w, h, fit, up, ext",
        read=option_parsers.resize,
    ),
    Covered("size", ("s",), "%width:%height:%enlarge:%extend", "w, h, up, ext", read=option_parsers.size),
    Covered(
        "resizing_type",
        ("rt",),
        "fit, fill, fill-down, force, auto",
        "fit, cov, one",
        read=option_parsers.resizing_type,
    ),
    Covered("width", ("w",), "%width", "w", note="At most 8192.", read=partial(option_parsers.size_in_px, "width")),
    Covered("height", ("h",), "%height", "h", note="At most 8192.", read=partial(option_parsers.size_in_px, "height")),
    Covered("min-width", ("mw",), "%width", "minw", read=partial(option_parsers.size_in_px, "min_width")),
    Covered("min-height", ("mh",), "%height", "minh", read=partial(option_parsers.size_in_px, "min_height")),
    Covered("zoom", ("z",), "%zoom_x_y or %zoom_x:%zoom_y", "w, h, zoom", read=option_parsers.zoom),
    Covered(
        "dpr",
        (),
        "%dpr",
        "w, h, ratio",
        note="Limited to what the source has pixels for, unless `enlarge` is set, with offsets and padding.",
        read=option_parsers.dpr,
    ),
    Covered("enlarge", ("el",), "%enlarge", "up", read=partial(option_parsers.switch, "enlarge")),
    Covered(
        "extend",
        ("ex",),
        "%extend:%gravity",
        "ext",
        read=partial(option_parsers.extend, "extend"),
    ),
    Covered(
        "extend_aspect_ratio",
        ("extend_ar", "exar"),
        "%extend:%gravity",
        "ext",
        read=partial(option_parsers.extend, "extend_ratio"),
    ),
    Covered(
        "gravity",
        ("g",),
        "%type:%x_offset:%y_offset",
        "g, off, even",
        note="`sm` is `attention`. Of Pro's `obj` and `objw` the class `face`, where pictures are analysed.",
        read=option_parsers.gravity,
    ),
    Covered(
        "crop",
        ("c",),
        "%width:%height:%gravity",
        "cut, tfirst",
        note="`trim` comes first. `obj` and `objw` of Pro are refused.",
        read=option_parsers.crop,
    ),
    Covered(
        "trim",
        ("t",),
        "%threshold:%color:%equal_hor:%equal_ver",
        "trim, trimx",
        note="A threshold of 0 counts as 1, and one above 255 as 255.",
        read=option_parsers.trim,
    ),
    Covered(
        "padding", ("pd",), "%top:%right:%bottom:%left", "pad", note="At most 2048 a side.", read=option_parsers.padding
    ),
    Covered("auto_rotate", ("ar",), "%auto_rotate", "orient", read=partial(option_parsers.switch, "auto_rotate")),
    Covered("rotate", ("rot",), "%angle", "rot", read=option_parsers.rotate),
    Covered("flip", ("fl",), "%horizontal:%vertical", "flip", read=option_parsers.flip),
    Covered("background", ("bg",), "%R:%G:%B or %hex_color", "bg", read=option_parsers.background),
    Covered("blur", ("bl",), "%sigma", "blur", note="At most 100.", read=partial(option_parsers.sigma, "blur")),
    Covered("sharpen", ("sh",), "%sigma", "sharp", note="At most 10.", read=partial(option_parsers.sigma, "sharpen")),
    Covered(
        "pixelate", ("pix",), "%size", "pix", note="At most 1024.", read=partial(option_parsers.size_in_px, "pixelate")
    ),
    Covered(
        "watermark",
        ("wm",),
        "%opacity:%position:%x_offset:%y_offset:%scale",
        "wm, wmx, wml",
        note="The watermark named `default` in presets.toml, else its only one; a scale of at most 1. `ch` is of Pro.",
        read=option_parsers.watermark,
    ),
    Covered(
        "strip_metadata", ("sm",), "%strip_metadata", note="Nothing to do: none is served.", read=option_parsers.nothing
    ),
    Covered(
        "keep_copyright", ("kcr",), "%keep_copyright", note="Nothing is kept in pictures.", read=option_parsers.nothing
    ),
    Covered(
        "strip_color_profile",
        ("scp",),
        "%strip_color_profile",
        note="Nothing to do: all is sRGB.",
        read=option_parsers.nothing,
    ),
    Covered(
        "enforce_thumbnail",
        ("eth",),
        "%enforce_thumbnail",
        note="The picture itself is used.",
        read=option_parsers.nothing,
    ),
    Covered(
        "quality", ("q",), "%quality", "q", note="On the scale of JPEG in every format.", read=option_parsers.quality
    ),
    Covered(
        "format_quality",
        ("fq",),
        "%format1:%quality1:…",
        "q",
        note="Also for the format that negotiation comes to.",
        read=option_parsers.format_quality,
    ),
    Covered("max_bytes", ("mb",), "%bytes", "mb", read=partial(option_parsers.size_in_px, "max_bytes")),
    Covered(
        "format",
        ("f", "ext"),
        "%extension",
        "f",
        note="Without one the viewer's best. `jxl`, `ico`, `bmp`, `heic` and `svg` are refused, `best` as of Pro.",
        read=option_parsers.output,
    ),
    Covered("skip_processing", ("skp",), "%extension1:…", "skip", read=option_parsers.skip),
    Covered(
        "raw",
        (),
        "%raw",
        "skip",
        note="The master without metadata; a file that ingest has not cleaned is cleaned, or rendered.",
        read=partial(option_parsers.switch, "raw"),
    ),
    Covered(
        "cachebuster",
        ("cb",),
        "%string",
        note="Nothing to do: it makes another URL of the same picture.",
        read=option_parsers.nothing,
    ),
    Covered("expires", ("exp",), "%timestamp", note="403 from then on.", read=option_parsers.expires),
    Covered(
        "filename",
        ("fn",),
        "%filename:%encoded",
        "dl, dlx, inl",
        note="At most 64 bytes.",
        read=option_parsers.filename,
    ),
    Covered(
        "return_attachment",
        ("att",),
        "%return_attachment",
        "dl, dlx",
        read=partial(option_parsers.switch, "attachment"),
    ),
    Covered("preset", ("pr",), "%preset_name1:…", note="From [imgproxy.presets] in dialects.toml.", read=_preset),
    Covered("max_src_resolution", ("msr",), "%resolution", note=LIMITS_HOLD, read=option_parsers.limit),
    Covered("max_src_file_size", ("msfs",), "%size", note=LIMITS_HOLD, read=option_parsers.limit),
    Covered(
        "max_animation_frames",
        ("maf",),
        "%size",
        "anim",
        note="1 takes the first frame; with more the deployment's limit holds.",
        read=option_parsers.frames,
    ),
    Covered("max_animation_frame_resolution", ("mafr",), "%size", note=LIMITS_HOLD, read=option_parsers.limit),
    Covered(
        "max_result_dimension",
        ("mrd",),
        "%size",
        "most",
        note="With padding and extension. 8192 px is the limit in any case.",
        read=partial(option_parsers.size_in_px, "max_side"),
    ),
    Covered(
        "preserve_hdr",
        ("ph",),
        "%preserve_hdr",
        note="Pictures have 8 bits a channel in any case. A JPEG keeps the gain map of its source.",
        read=option_parsers.nothing,
    ),
    *PRO_SERVED,
    *(Covered(names[0], names[1:], refused="it is of imgproxy Pro", group="Pro") for names in PRO),
)
"""Of imgproxy's option parser, and for Pro of its documentation, both at the commits that the tests name."""

OPTIONS: Mapping[str, Covered[Read]] = by_name(COVERAGE)
