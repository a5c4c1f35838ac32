"""The settings of dialects. Signing keys are not among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from darkroom.errors import BadOption
from darkroom.plan.presets import Presets, load_default_presets

from .sources import Sources

MIN_SIGNATURE_BYTES = 8
MAX_SIGNATURE_BYTES = 32
"""Of SHA-256. Shorter signatures than eight bytes can be guessed."""


@dataclass(frozen=True, slots=True)
class ImgproxySettings:
    """imgproxy's own settings, by the names of its environment variables.

    ``presets`` are in its syntax; the preset ``default`` applies to every URL. ``only_presets``: the first segment
    contains preset names. ``signature_size``: bytes of the digest in a signature. ``base_url`` is prepended to every
    address that does not begin with it. ``base64_url_includes_filename`` drops the last segment of an encoded address.
    ``trusted_signatures`` are accepted without a check, in any URL.
    """

    presets: Mapping[str, str] = field(default_factory=dict)
    only_presets: bool = False
    signature_size: int = MAX_SIGNATURE_BYTES
    base_url: str = ""
    arguments_separator: str = ":"
    base64_url_includes_filename: bool = False
    trusted_signatures: Sequence[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ThumborSettings:
    """``smart`` is the gravity of ``smart``: ``attention``, or ``face`` where images are analysed.

    ``respect_orientation``: apply the EXIF orientation first. thumbor's ``RESPECT_ORIENTATION`` is off by default.
    """

    smart: str = "attention"
    respect_orientation: bool = True


@dataclass(frozen=True, slots=True)
class DitSettings:
    """``auto_webp``: negotiate the format of requests that name none, like DIT's ``AUTO_WEBP``."""

    auto_webp: bool = True

    @property
    def default_format(self) -> str:
        """Return the format of a request that names none."""
        return "auto" if self.auto_webp else "auto-legacy"


@dataclass(frozen=True, slots=True)
class CloudflareSettings:
    """``account_hash`` is that of Cloudflare Images in URLs of hosted images; "" serves none of them."""

    account_hash: str = ""


@dataclass(frozen=True, slots=True)
class CloudinarySettings:
    """``cloud_name`` is the only one in URLs that is served; "" serves any, and URLs without one.

    ``extension_is_format``: keys have no extension, and that of a URL is the format, as in Cloudinary.
    ``transformations`` are named transformations in its syntax, components separated by slashes.
    """

    cloud_name: str = ""
    extension_is_format: bool = False
    transformations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DialectSettings:
    """The settings of all dialects. ``sources`` maps addresses to keys, ``watermarks`` names to keys.

    ``presets`` are those of native URLs; Cloudflare's hosted images use them as variants. ``detects_faces``: whether
    inference is on; not in the file.
    """

    sources: Sources = Sources()
    watermarks: Mapping[str, str] = field(default_factory=dict)
    imgproxy: ImgproxySettings = field(default_factory=ImgproxySettings)
    thumbor: ThumborSettings = ThumborSettings()
    dit: DitSettings = DitSettings()
    cloudflare: CloudflareSettings = CloudflareSettings()
    cloudinary: CloudinarySettings = field(default_factory=CloudinarySettings)
    presets: Presets = field(default_factory=lambda: Presets({}, {}))
    detects_faces: bool = False

    def find_watermark(self, address: str, *, bare_hosts: bool = False) -> str:
        """Return the name of the configured watermark at ``address``. Raises BadOption, BadKey."""
        key = self.sources.resolve(address, bare_hosts=bare_hosts)
        for name, known in self.watermarks.items():
            if known == key:
                return name
        raise BadOption("watermark: no watermark is configured for this address", option="watermark")

    def default_watermark(self) -> str:
        """Return ``default`` if a watermark has this name, else the only one, without presets.toml's if there are own.

        Raises BadOption.
        """
        if "default" in self.watermarks:
            return "default"
        common = load_default_presets().watermarks.items()
        candidates = dict(self.watermarks.items() - common) or self.watermarks
        if len(candidates) == 1:
            return next(iter(candidates))
        raise BadOption("watermark: no watermark named default is configured", option="watermark")
