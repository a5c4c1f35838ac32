"""Settings of a deployment that no AWS resource needs: one document, validated here and read at run time.

The document has the fields of :class:`Settings`; a field that it lacks has its default. In the media bucket
it is ``settings/current.json`` (:mod:`darkroom.services.live_settings`). Users edit it as TOML or JSON with
``darkroom settings``.
Nothing third-party is imported: transform reads it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any, cast

from .errors import Unavailable
from .plan.forced_options import NOTHING_FORCED, ForcedOptions
from .plan.limits import Limits
from .plan.model import CONVERTED_TYPES, DEFAULT_QUALITY, METADATA, DefaultQuality
from .plan.presets import Presets, load_default_presets, parse_presets, read_presets_file
from .plan.redaction import FIRST_GENERATION
from .plan.variants import AUTO, PRESETS, AccessMode
from .setting_rules import (
    FLAG,
    Rule,
    between,
    experiments,
    flag_or,
    further_sources,
    keys_by_prefix,
    list_of,
    lists_by_prefix,
    matching,
    one_of,
    qualities,
    redactions,
    tables_of,
    watermarks,
)

if TYPE_CHECKING:
    from .further_sources import FurtherSource
    from .plan.experiments import Experiment

PRESET_TABLES = ("presets", "ingest", "watermarks")
"""Tables that together are :class:`darkroom.plan.presets.Presets`."""

DIALECT_TABLES = ("sources", "imgproxy", "thumbor", "dit", "cloudflare", "cloudinary")
"""Tables of the setting ``dialects``, which their distribution reads."""

WATERMARK_PREFIX = "watermarks/"
"""The prefix of watermarks in the media bucket. Functions have permission to read it."""

MAX_MANIFEST_BYTES = 65_536
"""Default of ``max_manifest_bytes``: manifests of derivatives of uploads that Adobe's and the C2PA's programs have
signed take 22 to 40 KB, mostly certificates and time stamps."""

YEAR_S = 31_536_000
OFF = "off"
TASKS = ("faces", "text", "moderation", "similarity", "tags", "likeness", "objects")
"""What models can analyse (:mod:`darkroom.findings`)."""


class InvalidSettings(ValueError):
    """A document is invalid. ``problems``: one sentence for each invalid or unknown key, in the document's order."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _setting(default: Any, rule: Rule, unit: str, about: str) -> Any:
    return field(default=default, metadata={"rule": rule, "unit": unit, "about": about})


_LIMITS = Limits()
_MODES = tuple(mode.value for mode in AccessMode)
_KEY_PREFIXES = list_of(matching(r"[^\0]{1,1024}", "a key prefix"), 0, 50)
_PRIVATE_PREFIXES = list_of(matching(r"[^\0]{0,256}", "a key prefix"), 0, 10)
_DIALECT = one_of((OFF, *_MODES))
_UNSIGNED_DIALECT = one_of((OFF, AccessMode.GUARDED.value, AccessMode.OPEN.value))


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings, by the names that the document has for them. docs/reference/settings.md is generated from the
    fields."""

    access_mode: str = _setting(
        AccessMode.GUARDED.value,
        one_of(_MODES),
        "",
        "Requests that need no signature: `guarded` a finite set of variants, `open` all, `signed` none.",
    )
    private_prefixes: tuple[str, ...] = _setting(
        (),
        _PRIVATE_PREFIXES,
        "",
        "Key prefixes whose images need a valid signature at every request, also where they are stored or cached "
        "([private images](../guides/private-images.md)). The empty prefix means all images.",
    )
    imgproxy_access_mode: str = _setting(
        OFF, _DIALECT, "", "The same for imgproxy URLs under `/imgproxy/`; `off` serves none. Needs `Dialects=on`."
    )
    thumbor_access_mode: str = _setting(OFF, _DIALECT, "", "The same for thumbor URLs under `/thumbor/`.")
    dit_access_mode: str = _setting(
        OFF, _DIALECT, "", "The same for URLs of AWS's Dynamic Image Transformation under `/dit/`."
    )
    cloudflare_access_mode: str = _setting(
        OFF, _UNSIGNED_DIALECT, "", "The same for Cloudflare URLs under `/cdn-cgi/image/`, which have no signatures."
    )
    imgix_access_mode: str = _setting(OFF, _DIALECT, "", "The same for imgix URLs under `/imgix/`.")
    cloudinary_access_mode: str = _setting(OFF, _DIALECT, "", "The same for Cloudinary URLs under `/cloudinary/`.")
    iiif_access_mode: str = _setting(
        OFF,
        _UNSIGNED_DIALECT,
        "",
        "The same for IIIF URLs under `/iiif/3/` and `/iiif/2/`; `guarded` serves info.json, its sizes and its tiles.",
    )
    iiif_oversized_box: str = _setting(
        "clamp",
        one_of(("clamp", "reject")),
        "",
        "In IIIF 3.0 `!w,h` larger than the region gives the region in its own size (`clamp`) or a 400 (`reject`).",
    )
    dialects: str = _setting(
        "",
        tables_of(DIALECT_TABLES, f"a table of the tables {', '.join(DIALECT_TABLES)}"),
        "",
        "Addresses of sources, presets and options of other services, as in `dialects.toml`, whose entries they "
        "replace or precede ([dialects](dialects/README.md#settings)).",
    )
    dialect_max_age_s: int = _setting(
        86_400,
        between(0, YEAR_S),
        "s",
        "Longest time that browsers and the CDN keep a response to a dialect URL. Purges reach IIIF URLs only.",
    )
    browser_max_age_s: int = _setting(
        86_400, between(0, YEAR_S), "s", "Time that browsers keep a derivative. Purges reach the CDN, not browsers."
    )
    cdn_max_age_s: int = _setting(YEAR_S, between(0, YEAR_S), "s", "Time that the CDN keeps a derivative.")
    stale_while_revalidate_s: int = _setting(
        86_400, between(0, YEAR_S), "s", "Time that an expired derivative may be served while it is fetched again."
    )
    fallback_images: tuple[tuple[str, str], ...] = _setting(
        (),
        keys_by_prefix(20),
        "",
        "Images that are served below key prefixes instead of missing and damaged ones, with the status of the error.",
    )
    immutable_prefixes: tuple[str, ...] = _setting(
        (),
        _KEY_PREFIXES,
        "",
        "Key prefixes whose objects are named by their content and never change.",
    )
    store_derivatives: bool | str = _setting(
        True,
        flag_or(PRESETS, AUTO),
        "",
        "Whether rendered derivatives are stored in S3; `false` renders on every CDN miss, `presets` stores only "
        "variants of presets, `auto` also others by [chance](../explanation/cost.md#storing-by-chance).",
    )
    default_quality: DefaultQuality = _setting(
        DEFAULT_QUALITY,
        qualities(),
        "",
        "Quality of images whose URL does not set `q`, on JPEG's scale. Without an entry: "
        f"{', '.join(f'{form} {quality}' for form, quality in DEFAULT_QUALITY._asdict().items())}. "
        "[Stored derivatives](image-processing.md#default-quality) keep theirs.",
    )
    mezzanines: bool = _setting(
        True,
        FLAG,
        "",
        "Whether ingest stores smaller renditions of large masters, from which requests are rendered faster. There are "
        "none with a `SourceBucket`.",
    )
    max_source_bytes: int = _setting(
        _LIMITS.max_bytes, between(1, 1024**3), "bytes", "Largest upload and master that is not cut into strips."
    )
    max_source_pixels: int = _setting(
        _LIMITS.max_pixels, between(1, 10**9), "pixels", "Most pixels of a master: width × height × frames read."
    )
    max_source_frames: int = _setting(_LIMITS.max_frames, between(1, 99_999), "frames", "Most frames of a master.")
    max_scene_bytes: int = _setting(
        _LIMITS.max_scene_bytes, between(1, 5 * 1024**3), "bytes", "Largest upload that is cut into strips."
    )
    max_scene_pixels: int = _setting(
        _LIMITS.max_scene_pixels,
        between(1, 4 * 10**9),
        "pixels",
        "Most pixels of an upload that is cut into strips; at most `max_source_pixels` cuts none.",
    )
    scene_concurrency: int = _setting(10, between(1, 1000), "strips", "Strips of one large image cut at the same time.")
    library_concurrency: int = _setting(10, between(1, 1000), "batches", "Most concurrent batches of a bulk job.")
    converted_formats: tuple[str, ...] = _setting(
        (),
        list_of(one_of(tuple(CONVERTED_TYPES)), 0, len(CONVERTED_TYPES)),
        "",
        "Further formats of uploads, which ingest converts ([uploads](../guides/uploads.md#converted-formats)).",
    )
    keep_gps: bool = _setting(
        False, FLAG, "", "Whether the index keeps the GPS position of a photo. Served files never contain it."
    )
    metadata: str = _setting(
        METADATA[0],
        one_of(METADATA),
        "",
        "Metadata of files whose URL does not set `meta`: `none`, or `rights` (creator, copyright, licence).",
    )
    sign_derivatives: bool = _setting(
        False,
        FLAG,
        "",
        "Whether presets and re-encoded derivatives get Content Credentials, signed with the key in the secret "
        "`<stack>-content-credentials`. Needs `ContentCredentials=on`.",
    )
    manifest_base_url: str = _setting(
        "",
        matching(r"|https?://[A-Za-z0-9.:-]{1,253}", "the address of the CDN without a path, or empty"),
        "",
        "Where viewers get the manifests of small signed files, which are then not in the file; empty puts all into "
        "their file, which makes thumbnails several times as large. Needs `Dialects=on`.",
    )
    max_manifest_bytes: int = _setting(
        MAX_MANIFEST_BYTES,
        between(4096, 4 * 1024**2),
        "bytes",
        "What Content Credentials in a file may add to it; to a larger file up to a quarter of its size. Where the "
        "manifest of the upload would take more, it is left out.",
    )
    clamd_address: str = _setting(
        "",
        matching(r"|[A-Za-z0-9.-]{1,253}:[1-9][0-9]{0,4}", "host:port, or empty"),
        "",
        "ClamAV daemon that scans every upload; empty scans none. `VpcSubnetIds` must reach it.",
    )
    findings_generation: str = _setting(
        FIRST_GENERATION,
        matching(r"[a-z0-9]{1,8}", "1 to 8 characters of a-z and 0-9"),
        "",
        "Name under which findings are written. The key-value store's entry `findings` selects the one that is used.",
    )
    always_redact: ForcedOptions = _setting(
        NOTHING_FORCED,
        redactions(40),
        "",
        "What is hidden in every image below a key prefix, as by the option `redact`. Needs `InferenceMode`.",
    )
    always_watermark: ForcedOptions = _setting(
        NOTHING_FORCED,
        watermarks(40),
        "",
        "The watermark of every image below a key prefix, as by the option `wm`; the longest prefix applies. A signed "
        "URL with `wm=none` has none.",
    )
    sources: tuple[FurtherSource, ...] = _setting(
        (),
        further_sources(20),
        "",
        "Further buckets and HTTPS origins of masters, by the prefix of their keys "
        "([existing buckets](../guides/source-buckets.md#several-sources)).",
    )
    moderation_policy: str = _setting(
        OFF,
        one_of((OFF, "label", "block")),
        "",
        "`label` records moderation labels and publishes them, `block` also holds images until they pass. "
        "Needs `InferenceMode`.",
    )
    moderation_max_views: int = _setting(
        64,
        between(1, 200),
        "views",
        "Frames, pages and backgrounds of one image that moderation analyses at most. An image with more distinct "
        "ones is flagged with the label `unsampled`.",
    )
    tasks: tuple[str, ...] = _setting(
        TASKS[:-1],
        list_of(one_of(TASKS), 1, len(TASKS)),
        "",
        "What models look for. An endpoint must have a model for each of them; the function has none of `text` "
        "and `objects`, and `objects` needs a model of your own.",
    )
    tasks_by_prefix: tuple[tuple[str, tuple[str, ...]], ...] = _setting(
        (),
        lists_by_prefix(list_of(one_of(TASKS), 1, len(TASKS)), 20),
        "",
        "Tasks that replace `tasks` below key prefixes; the longest prefix applies. What `moderation_policy` and "
        "`always_redact` need is always added.",
    )
    cutout_prefixes: tuple[str, ...] = _setting(
        (),
        _KEY_PREFIXES,
        "",
        "Key prefixes whose images are cut out by the option `cutout`. Needs `InferenceMode=endpoint` with the model.",
    )
    upscale_prefixes: tuple[str, ...] = _setting(
        (),
        _KEY_PREFIXES,
        "",
        "Key prefixes whose images may be enlarged by a model, with the option `up=ai`. Needs `Refine=on` and "
        "`InferenceMode=endpoint` with the model.",
    )
    refine_hits: int = _setting(
        20, between(1, 10**6), "views/hour", "Views from which any derivative is re-encoded. Needs `AccessLogDays`."
    )
    max_renders_per_minute: int = _setting(
        0, between(0, 10**9), "renders/min", "Rate from which only presets are rendered; 0 is no limit."
    )
    baseline_samples: int = _setting(
        500, between(200, 1000), "samples", "Samples of analysed images that make the first drift baseline."
    )
    canary_pictures: int = _setting(
        300, between(30, 100_000), "images", "Images that a canary must have analysed before it is promoted."
    )
    canary_hours: int = _setting(
        24, between(0, 8760), "h", "Time that a canary must have run before it is promoted; a worse one ends earlier."
    )
    experiments: tuple[Experiment, ...] = _setting(
        (),
        experiments(),
        "",
        'Experiments, which divide visitors between presets. Not with `access_mode = "signed"`.',
    )
    experiment_confidence: int = _setting(
        98, between(80, 99), "%", "Probability that an experiment never stops a variant that is as good as the others."
    )
    experiment_visitors: int = _setting(
        1_000, between(100, 1_000_000), "visitors", "Visitors of each variant before an experiment stops one."
    )
    experiment_decisions: str = _setting(
        "apply",
        one_of(("apply", "report")),
        "",
        "`apply` stops variants and promotes winners, `report` only reports rates.",
    )
    custom_presets: Presets | None = field(default=None, metadata={"document": False})

    @property
    def presets(self) -> Presets:
        """Presets and watermarks of the document and of ``presets.toml``.

        Raises Unavailable if that file is invalid, which fails the build of the layer.
        """
        if self.custom_presets is not None:
            return self.custom_presets
        try:
            return load_default_presets()
        except (ValueError, TypeError, AttributeError) as error:
            raise Unavailable(detail=f"presets.toml: {error!r}") from error

    @property
    def forced(self) -> ForcedOptions:
        """What ``always_redact`` and ``always_watermark`` force together."""
        return self.always_redact.merge(self.always_watermark)


DEFAULTS = Settings()


def list_setting_fields() -> list[Field[Any]]:
    """Return the fields of :class:`Settings` that are keys of the document."""
    return [one for one in fields(Settings) if one.metadata.get("document", True)]


_FIELDS: Mapping[str, Field[Any]] = {one.name: one for one in list_setting_fields()}


def parse_settings(document: Mapping[str, object], *, ignore_unknown: bool = False) -> Settings:
    """Validate ``document``; raises InvalidSettings with every problem.

    ``ignore_unknown``: skip keys that this version does not have. A function does so while a newer version is deployed.
    """
    values, problems = dict[str, Any](), list[str]()
    for name, value in document.items():
        if name in PRESET_TABLES:
            continue
        if name not in _FIELDS:
            if not ignore_unknown:
                problems.append(f"{name}: unknown setting")
            continue
        rule = cast(Rule, _FIELDS[name].metadata["rule"])
        try:
            values[name] = rule.parse(value)
        except (ValueError, TypeError):
            problems.append(f"{name}: must be {rule.allowed_values}, not {value!r}")
    try:
        values["custom_presets"] = _parse_presets(document, ignore_unknown=ignore_unknown)
    except (ValueError, TypeError, AttributeError) as error:
        problems.append(str(error))
    if problems:
        raise InvalidSettings(problems)
    settings = Settings(**values)
    if problems := [*_check_experiments(settings), *_check_forced(settings)]:
        raise InvalidSettings(problems)
    return settings


def _check_experiments(settings: Settings) -> Iterator[str]:
    if settings.experiments and settings.access_mode == AccessMode.SIGNED.value:
        yield "experiments: a signature covers one preset, so access_mode must not be signed"
    for one in settings.experiments:
        if missing := [preset for preset in one.presets if preset not in settings.presets.options]:
            yield f"experiments: {one.name!r} has variants that are no presets: {', '.join(missing)}"


def _check_forced(settings: Settings) -> Iterator[str]:
    for prefix, mark in settings.always_watermark.watermarks:
        if mark.name not in settings.presets.watermarks:
            yield f"always_watermark: {prefix!r} has a watermark that does not exist: {mark.name}"


def _parse_presets(document: Mapping[str, object], *, ignore_unknown: bool = False) -> Presets | None:
    """Parse the presets of ``document``, which are added to the defaults; None if it has none of the tables.

    A preset or watermark of a default's name replaces it, and ``false`` removes it. ``ignore_unknown``: also accept
    ``false`` for a name without default, which another version may have.
    """
    given: dict[str, Any] = {name: document[name] for name in PRESET_TABLES if name in document}
    if not given:
        return None
    import tomllib

    if wrong := [name for name, table in given.items() if not isinstance(table, Mapping)]:
        raise ValueError(f"{wrong[0]}: must be a table")
    tables = tomllib.loads(read_presets_file())
    for table in ("presets", "watermarks"):
        own = given.get(table, {})
        if not ignore_unknown:
            _check_removed(table, own, tables[table])
        tables[table] = {name: value for name, value in {**tables[table], **own}.items() if value is not False}
    if wrong := [name for name, options in tables["presets"].items() if not isinstance(options, Mapping)]:
        raise ValueError(f"presets: {wrong[0]!r} must be a table, or false to remove a default")
    if "ingest" in given:
        tables["ingest"] = given["ingest"]
    else:
        tables["ingest"] = {"presets": [name for name in tables["ingest"]["presets"] if name in tables["presets"]]}
    _check_watermarks(tables["watermarks"])
    _check_ingest(tables["ingest"])
    return parse_presets(tables)


def _check_removed(table: str, own: Mapping[str, object], defaults: Mapping[str, object]) -> None:
    absent = [name for name, value in own.items() if value is False and name not in defaults]
    if absent:
        raise ValueError(f"{table}: {absent[0]!r} cannot be removed: there is no such default")


def _check_watermarks(watermarks: Mapping[str, object]) -> None:
    for name, key in watermarks.items():
        if not isinstance(key, str) or not key.startswith(WATERMARK_PREFIX):
            raise ValueError(f"watermarks: {name!r} must be a key below {WATERMARK_PREFIX}, not {key!r}")


def _check_ingest(ingest: Mapping[str, object]) -> None:
    if unknown := set(ingest) - {"presets"}:
        raise ValueError(f"ingest: unknown setting: {', '.join(sorted(unknown))}")
    if not isinstance(ingest.get("presets", []), list):
        raise ValueError("ingest: presets must be a list of names")  # noqa: TRY004 - as above
