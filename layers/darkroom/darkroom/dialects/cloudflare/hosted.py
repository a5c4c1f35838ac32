"""Hosted images: ``/cdn-cgi/imagedelivery/<account hash>/<image id>/<variant>``, as imagedelivery.net has them.

A variant is a preset of the deployment by its name, or, with ``=`` in it, options as in ``/cdn-cgi/image/``
("flexible variants"). ``public``, which every account has, is the picture as it is served by default, unless a preset
has that name. Without a format the viewer's best is chosen, as there.
"""

from __future__ import annotations

from ...errors import BadKey, BadOption
from ...plan.normalize import build_plan
from ...plan.options import escape_text
from ...plan.presets import format_names
from ..common.parsed_url import ParsedUrl
from ..common.settings import DialectSettings

HOSTED_PREFIX = "/cdn-cgi/imagedelivery/"
PUBLIC = "public"


def parse_hosted_path(target: str, settings: DialectSettings) -> tuple[str, str]:
    """The key and the variant of ``target``; raises BadKey, also where the account is another one or none."""
    parts = target.removeprefix(HOSTED_PREFIX).split("/")
    if len(parts) < 3 or not all(parts):
        raise BadKey(f"The path is not like {HOSTED_PREFIX}<account hash>/<image id>/<variant>")
    if not settings.cloudflare.account_hash or parts[0] != settings.cloudflare.account_hash:
        raise BadKey(f"No images of the account '{escape_text(parts[0])}' are served here")
    return settings.sources.resolve("/".join(parts[1:-1])), parts[-1]


def find_variant(key: str, variant: str, settings: DialectSettings) -> ParsedUrl:
    """What the variant's preset asks for; raises BadOption if there is none of that name."""
    presets = settings.presets
    if variant == PUBLIC and variant not in presets.options:
        return ParsedUrl(build_plan(key, {}), claim=None)
    if variant not in presets.options:
        raise BadOption(
            f"There is no variant '{escape_text(variant)}': "
            f"they are the presets {format_names(presets.options)}, and {PUBLIC}",
            option="variant",
        )
    return ParsedUrl(build_plan(key, presets.parse_values(variant)), claim=None)
