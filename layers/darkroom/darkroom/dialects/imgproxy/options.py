"""The table of imgproxy's options."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ...errors import BadOption
from ...plan.options import escape_text
from ..common.mapping import OptionMapping, find_parser, index_by_name
from ..common.settings import ImgproxySettings
from ..common.validate import bad_option
from . import option_parsers
from .option_parsers import OptionParser, ParseState

UNSUPPORTED_PRO_OPTIONS: tuple[tuple[str, ...], ...] = (
    ("objects_position", "obj_pos", "op"),
    ("crop_aspect_ratio", "crop_ar", "car"),
    ("crop_objects", "c_obj"),
    ("monochrome", "mc"),
    ("duotone", "dt"),
    ("unsharp_masking", "ush"),
    ("blur_areas", "ba"),
    ("blur_detections", "bd"),
    ("progressive_blur", "pbl"),
    ("draw_detections", "dd"),
    ("colorize", "col"),
    ("gradient", "gr"),
    ("watermark_url", "wmu"),
    ("watermark_text", "wmt"),
    ("watermark_size", "wms"),
    ("watermark_rotate", "wm_rot", "wmr"),
    ("watermark_shadow", "wmsh"),
    ("style", "st", "stl"),
    ("color_profile", "cp", "icc"),
    ("dpi",),
    ("autoquality", "aq"),
    ("jpeg_options", "jpgo"),
    ("png_options", "pngo"),
    ("webp_options", "webpo"),
    ("avif_options", "avifo"),
    ("pages", "pgs"),
    ("video_thumbnail_second", "vts"),
    ("video_thumbnail_keyframes", "vtk"),
    ("video_thumbnail_tile", "vtt"),
    ("video_thumbnail_animation", "vta"),
    ("fallback_image_url", "fiu"),
    ("hashsum", "hs"),
)


LIMIT_NOTE = "No effect: the deployment sets the limits of sources."


def apply_option(state: ParseState, segment: str) -> None:
    """Parse one option, such as ``w:300``. Raises BadOption or UnknownOption."""
    name, *args = segment.split(state.settings.arguments_separator)
    reader = find_parser(MAPPINGS_BY_NAME, name)
    if not args:
        raise bad_option(name, "needs an argument")
    reader(state, name, args)


def _parse_preset(state: ParseState, name: str, args: list[str]) -> None:
    for preset in args:
        apply_preset(state, name, preset)


def apply_preset(state: ParseState, option: str, preset: str) -> None:
    """Parse the options of a preset. A preset within itself is skipped, as in imgproxy."""
    if preset not in state.settings.presets:
        raise bad_option(option, f"there is no preset '{escape_text(preset)}'")
    if preset in state.presets:
        return
    state.presets.append(preset)
    for segment in state.settings.presets[preset].split("/"):
        apply_option(state, segment)
    state.presets.pop()


def check_presets(settings: ImgproxySettings) -> None:
    """Raise ValueError for an invalid preset."""
    for preset in settings.presets:
        try:
            apply_preset(ParseState(settings), "preset", preset)
        except BadOption as error:
            raise ValueError(f"imgproxy: preset {preset!r}: {error.message}") from error


PRO_SERVED: tuple[OptionMapping[OptionParser], ...] = (
    OptionMapping(
        "resizing_algorithm",
        ("ra",),
        "lanczos3",
        note="Other algorithms are refused.",
        parse=option_parsers.check_algorithm,
        group="Pro",
    ),
    OptionMapping(
        "adjust", ("a",), "%brightness:%contrast:%saturation", "mat", parse=option_parsers.parse_adjust, group="Pro"
    ),
    OptionMapping(
        "brightness",
        ("br",),
        "-255–255",
        "mat",
        note="Added to each channel. imgproxy Pro's own arithmetic is not published.",
        parse=option_parsers.parse_brightness,
        group="Pro",
    ),
    OptionMapping(
        "contrast",
        ("co",),
        "a factor",
        "mat",
        note="Around middle grey.",
        parse=partial(option_parsers.parse_float_field, "contrast"),
        group="Pro",
    ),
    OptionMapping(
        "saturation",
        ("sa",),
        "a factor",
        "mat",
        note="Of the distance from grey, by the weights of BT.709.",
        parse=partial(option_parsers.parse_float_field, "saturation"),
        group="Pro",
    ),
    OptionMapping("background_alpha", ("bga",), "0–1", "bg", parse=option_parsers.parse_background_alpha, group="Pro"),
    OptionMapping(
        "page",
        ("pg",),
        "%page",
        "page",
        note="Of an animation the frame, as a still image.",
        parse=partial(option_parsers.parse_int_field, "page"),
        group="Pro",
    ),
    OptionMapping(
        "disable_animation",
        ("da",),
        "%disable",
        "anim",
        parse=partial(option_parsers.parse_switch, "still"),
        group="Pro",
    ),
    OptionMapping(
        "bypass_cache",
        ("bc",),
        "%bypass",
        note="No effect: stored derivatives are current.",
        parse=option_parsers.ignore_argument,
        group="Pro",
    ),
    OptionMapping(
        "cache_tags",
        ("ct",),
        "%tag1:…",
        note="No effect: cached responses have no tags.",
        parse=option_parsers.ignore_arguments,
        group="Pro",
    ),
)
"""Supported options of imgproxy Pro."""

OPTION_MAPPINGS: tuple[OptionMapping[OptionParser], ...] = (
    OptionMapping(
        "resize",
        ("rs",),
        "%resizing_type:%width:%height:%enlarge:%extend",
        "w, h, fit, up, ext",
        parse=option_parsers.parse_resize,
    ),
    OptionMapping("size", ("s",), "%width:%height:%enlarge:%extend", "w, h, up, ext", parse=option_parsers.parse_size),
    OptionMapping(
        "resizing_type",
        ("rt",),
        "fit, fill, fill-down, force, auto",
        "fit, cov, one",
        parse=option_parsers.parse_resizing_type,
    ),
    OptionMapping(
        "width", ("w",), "%width", "w", note="At most 8192.", parse=partial(option_parsers.parse_int_field, "width")
    ),
    OptionMapping(
        "height", ("h",), "%height", "h", note="At most 8192.", parse=partial(option_parsers.parse_int_field, "height")
    ),
    OptionMapping("min-width", ("mw",), "%width", "minw", parse=partial(option_parsers.parse_int_field, "min_width")),
    OptionMapping(
        "min-height", ("mh",), "%height", "minh", parse=partial(option_parsers.parse_int_field, "min_height")
    ),
    OptionMapping("zoom", ("z",), "%zoom_x_y or %zoom_x:%zoom_y", "w, h, zoom", parse=option_parsers.parse_zoom),
    OptionMapping(
        "dpr",
        (),
        "%dpr",
        "w, h, ratio",
        note="Limited by the pixels of the source unless `enlarge` is set; scales offsets and padding too.",
        parse=option_parsers.parse_dpr,
    ),
    OptionMapping("enlarge", ("el",), "%enlarge", "up", parse=partial(option_parsers.parse_switch, "enlarge")),
    OptionMapping(
        "extend",
        ("ex",),
        "%extend:%gravity",
        "ext",
        parse=partial(option_parsers.parse_extend, "extend"),
    ),
    OptionMapping(
        "extend_aspect_ratio",
        ("extend_ar", "exar"),
        "%extend:%gravity",
        "ext",
        parse=partial(option_parsers.parse_extend, "extend_ratio"),
    ),
    OptionMapping(
        "gravity",
        ("g",),
        "%type:%x_offset:%y_offset",
        "g, off, even",
        note="`sm` is `attention`. Of Pro's `obj` and `objw` the class `face`, if images are analysed.",
        parse=option_parsers.parse_gravity,
    ),
    OptionMapping(
        "crop",
        ("c",),
        "%width:%height:%gravity",
        "cut, tfirst",
        note="`trim` comes first. `obj` and `objw` of Pro are refused.",
        parse=option_parsers.parse_crop,
    ),
    OptionMapping(
        "trim",
        ("t",),
        "%threshold:%color:%equal_hor:%equal_ver",
        "trim, trimx",
        note="A threshold of 0 counts as 1, and one above 255 as 255.",
        parse=option_parsers.parse_trim,
    ),
    OptionMapping(
        "padding",
        ("pd",),
        "%top:%right:%bottom:%left",
        "pad",
        note="At most 2048 a side.",
        parse=option_parsers.parse_padding,
    ),
    OptionMapping(
        "auto_rotate", ("ar",), "%auto_rotate", "orient", parse=partial(option_parsers.parse_switch, "auto_rotate")
    ),
    OptionMapping("rotate", ("rot",), "%angle", "rot", parse=option_parsers.parse_rotate),
    OptionMapping("flip", ("fl",), "%horizontal:%vertical", "flip", parse=option_parsers.parse_flip),
    OptionMapping("background", ("bg",), "%R:%G:%B or %hex_color", "bg", parse=option_parsers.parse_background),
    OptionMapping(
        "blur", ("bl",), "%sigma", "blur", note="At most 100.", parse=partial(option_parsers.parse_float_field, "blur")
    ),
    OptionMapping(
        "sharpen",
        ("sh",),
        "%sigma",
        "sharp",
        note="At most 10.",
        parse=partial(option_parsers.parse_float_field, "sharpen"),
    ),
    OptionMapping(
        "pixelate",
        ("pix",),
        "%size",
        "pix",
        note="At most 1024.",
        parse=partial(option_parsers.parse_int_field, "pixelate"),
    ),
    OptionMapping(
        "watermark",
        ("wm",),
        "%opacity:%position:%x_offset:%y_offset:%scale",
        "wm, wmx, wml",
        note="The watermark `default` in presets.toml, else the only one; scale at most 1. `ch` (Pro) is refused.",
        parse=option_parsers.parse_watermark,
    ),
    OptionMapping(
        "strip_metadata",
        ("sm",),
        "%strip_metadata",
        note="No effect: images have no metadata.",
        parse=option_parsers.ignore_argument,
    ),
    OptionMapping(
        "keep_copyright",
        ("kcr",),
        "%keep_copyright",
        note="No effect: images have no metadata.",
        parse=option_parsers.ignore_argument,
    ),
    OptionMapping(
        "strip_color_profile",
        ("scp",),
        "%strip_color_profile",
        note="No effect: images are in sRGB.",
        parse=option_parsers.ignore_argument,
    ),
    OptionMapping(
        "enforce_thumbnail",
        ("eth",),
        "%enforce_thumbnail",
        note="No effect: the image itself is used.",
        parse=option_parsers.ignore_argument,
    ),
    OptionMapping(
        "quality",
        ("q",),
        "%quality",
        "q",
        note="On the scale of JPEG in every format.",
        parse=option_parsers.parse_quality,
    ),
    OptionMapping(
        "format_quality",
        ("fq",),
        "%format1:%quality1:…",
        "q",
        note="Also for negotiated formats.",
        parse=option_parsers.parse_format_quality,
    ),
    OptionMapping("max_bytes", ("mb",), "%bytes", "mb", parse=partial(option_parsers.parse_int_field, "max_bytes")),
    OptionMapping(
        "format",
        ("f", "ext"),
        "%extension",
        "f",
        note="Default: negotiated. `jxl`, `ico`, `bmp`, `heic` and `svg` are refused, and `best` (Pro).",
        parse=option_parsers.parse_format,
    ),
    OptionMapping("skip_processing", ("skp",), "%extension1:…", "skip", parse=option_parsers.parse_skip),
    OptionMapping(
        "raw",
        (),
        "%raw",
        "skip",
        note="The master, without metadata. Files that ingest has not cleaned are cleaned or rendered.",
        parse=partial(option_parsers.parse_switch, "raw"),
    ),
    OptionMapping(
        "cachebuster",
        ("cb",),
        "%string",
        note="No effect on the image; the URL is another one.",
        parse=option_parsers.ignore_argument,
    ),
    OptionMapping("expires", ("exp",), "%timestamp", note="403 from this time on.", parse=option_parsers.parse_expires),
    OptionMapping(
        "filename",
        ("fn",),
        "%filename:%encoded",
        "dl, dlx, inl",
        note="At most 64 bytes.",
        parse=option_parsers.parse_filename,
    ),
    OptionMapping(
        "return_attachment",
        ("att",),
        "%return_attachment",
        "dl, dlx",
        parse=partial(option_parsers.parse_switch, "attachment"),
    ),
    OptionMapping(
        "preset", ("pr",), "%preset_name1:…", note="From [imgproxy.presets] in dialects.toml.", parse=_parse_preset
    ),
    OptionMapping("max_src_resolution", ("msr",), "%resolution", note=LIMIT_NOTE, parse=option_parsers.parse_limit),
    OptionMapping("max_src_file_size", ("msfs",), "%size", note=LIMIT_NOTE, parse=option_parsers.parse_limit),
    OptionMapping(
        "max_animation_frames",
        ("maf",),
        "%size",
        "anim",
        note="1 selects the first frame; otherwise the deployment's limit applies.",
        parse=option_parsers.parse_frame_limit,
    ),
    OptionMapping(
        "max_animation_frame_resolution", ("mafr",), "%size", note=LIMIT_NOTE, parse=option_parsers.parse_limit
    ),
    OptionMapping(
        "max_result_dimension",
        ("mrd",),
        "%size",
        "most",
        note="Includes padding and extension. The limit is always 8192 px.",
        parse=partial(option_parsers.parse_int_field, "max_side"),
    ),
    OptionMapping(
        "preserve_hdr",
        ("ph",),
        "%preserve_hdr",
        note="No effect: images have 8 bits per channel. A JPEG keeps the gain map of its source.",
        parse=option_parsers.ignore_argument,
    ),
    *PRO_SERVED,
    *(
        OptionMapping(names[0], names[1:], refused="it belongs to imgproxy Pro", group="Pro")
        for names in UNSUPPORTED_PRO_OPTIONS
    ),
)
"""From imgproxy's option parser, and for Pro from its documentation, at the commits that the tests name."""

MAPPINGS_BY_NAME: Mapping[str, OptionMapping[OptionParser]] = index_by_name(OPTION_MAPPINGS)
