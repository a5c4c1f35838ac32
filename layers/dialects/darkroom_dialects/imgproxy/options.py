"""The table of imgproxy's options."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from darkroom.errors import BadOption
from darkroom.plan.options import escape_text

from ..common.mapping import find_parser, index_by_name, list_options
from ..common.settings import ImgproxySettings
from ..common.validate import bad_option
from . import option_parsers
from .option_parsers import OptionParser, ParseState


def apply_option(state: ParseState, segment: str) -> None:
    """Parse one option, such as ``w:300``. Raises BadOption or UnknownOption."""
    name, *args = segment.split(state.settings.arguments_separator)
    reader = find_parser(MAPPINGS_BY_NAME, name)
    if not args:
        raise bad_option(name, "needs an argument")
    reader(state, name, args)


def _parse_presets(state: ParseState, name: str, args: list[str]) -> None:
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


_PARSERS: Mapping[str, OptionParser] = {
    "resize rs": option_parsers.parse_resize,
    "size s": option_parsers.parse_size,
    "resizing_type rt": option_parsers.parse_resizing_type,
    "width w": partial(option_parsers.parse_int_field, "width"),
    "height h": partial(option_parsers.parse_int_field, "height"),
    "min-width mw": partial(option_parsers.parse_int_field, "min_width"),
    "min-height mh": partial(option_parsers.parse_int_field, "min_height"),
    "zoom z": option_parsers.parse_zoom,
    "dpr": option_parsers.parse_dpr,
    "enlarge el": partial(option_parsers.parse_switch, "enlarge"),
    "extend ex": partial(option_parsers.parse_extend, "extend"),
    "extend_aspect_ratio extend_ar exar": partial(option_parsers.parse_extend, "extend_ratio"),
    "gravity g": option_parsers.parse_gravity,
    "crop c": option_parsers.parse_crop,
    "trim t": option_parsers.parse_trim,
    "padding pd": option_parsers.parse_padding,
    "auto_rotate ar": partial(option_parsers.parse_switch, "auto_rotate"),
    "rotate rot": option_parsers.parse_rotate,
    "flip fl": option_parsers.parse_flip,
    "background bg": option_parsers.parse_background,
    "blur bl": partial(option_parsers.parse_float_field, "blur"),
    "sharpen sh": partial(option_parsers.parse_float_field, "sharpen"),
    "pixelate pix": partial(option_parsers.parse_int_field, "pixelate"),
    "watermark wm": option_parsers.parse_watermark,
    "strip_metadata sm": partial(option_parsers.parse_switch, "strip_metadata"),
    "keep_copyright kcr": partial(option_parsers.parse_switch, "keep_copyright"),
    "strip_color_profile scp": option_parsers.ignore_argument,
    "enforce_thumbnail eth": option_parsers.ignore_argument,
    "quality q": option_parsers.parse_quality,
    "format_quality fq": option_parsers.parse_format_quality,
    "max_bytes mb": partial(option_parsers.parse_int_field, "max_bytes"),
    "format f ext": option_parsers.parse_format,
    "skip_processing skp": option_parsers.parse_skip,
    "raw": partial(option_parsers.parse_switch, "raw"),
    "cachebuster cb": option_parsers.ignore_argument,
    "expires exp": option_parsers.parse_expires,
    "filename fn": option_parsers.parse_filename,
    "return_attachment att": partial(option_parsers.parse_switch, "attachment"),
    "preset pr": _parse_presets,
    "max_src_resolution msr": option_parsers.parse_limit,
    "max_src_file_size msfs": option_parsers.parse_limit,
    "max_animation_frames maf": option_parsers.parse_frame_limit,
    "max_animation_frame_resolution mafr": option_parsers.parse_limit,
    "max_result_dimension mrd": partial(option_parsers.parse_int_field, "max_side"),
    "preserve_hdr ph": option_parsers.ignore_argument,
}

_PRO_PARSERS: Mapping[str, OptionParser] = {
    "resizing_algorithm ra": option_parsers.check_algorithm,
    "adjust a": option_parsers.parse_adjust,
    "brightness br": option_parsers.parse_brightness,
    "contrast co": partial(option_parsers.parse_float_field, "contrast"),
    "saturation sa": partial(option_parsers.parse_float_field, "saturation"),
    "background_alpha bga": option_parsers.parse_background_alpha,
    "page pg": partial(option_parsers.parse_int_field, "page"),
    "disable_animation da": partial(option_parsers.parse_switch, "still"),
    "watermark_url wmu": partial(option_parsers.parse_watermark_text, "address"),
    "watermark_text wmt": partial(option_parsers.parse_watermark_text, "text"),
    "watermark_size wms": option_parsers.parse_watermark_size,
    "watermark_rotate wm_rot wmr": option_parsers.parse_watermark_rotate,
    "bypass_cache bc": option_parsers.ignore_argument,
    "cache_tags ct": option_parsers.ignore_arguments,
}

_UNSUPPORTED_PRO_OPTIONS = (
    "objects_position obj_pos op",
    "crop_aspect_ratio crop_ar car",
    "crop_objects c_obj",
    "monochrome mc",
    "duotone dt",
    "unsharp_masking ush",
    "blur_areas ba",
    "blur_detections bd",
    "progressive_blur pbl",
    "draw_detections dd",
    "colorize col",
    "gradient gr",
    "watermark_shadow wmsh",
    "style st stl",
    "color_profile cp icc",
    "dpi",
    "autoquality aq",
    "jpeg_options jpgo",
    "png_options pngo",
    "webp_options webpo",
    "avif_options avifo",
    "pages pgs",
    "video_thumbnail_second vts",
    "video_thumbnail_keyframes vtk",
    "video_thumbnail_tile vtt",
    "video_thumbnail_animation vta",
    "fallback_image_url fiu",
    "hashsum hs",
)

OPTION_MAPPINGS = (
    *list_options(_PARSERS),
    *list_options(_PRO_PARSERS, dict.fromkeys(_UNSUPPORTED_PRO_OPTIONS, "it belongs to imgproxy Pro"), "Pro"),
)
"""From imgproxy's option parser, and for Pro from its documentation, at the commits that the tests name."""

MAPPINGS_BY_NAME = index_by_name(OPTION_MAPPINGS)
