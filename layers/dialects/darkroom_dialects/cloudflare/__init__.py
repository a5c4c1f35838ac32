"""Cloudflare Images' URLs, by its documentation. They are not signed."""

from .options import OPTION_MAPPINGS
from .url import PREFIX, parse, verify

__all__ = ["OPTION_MAPPINGS", "PREFIX", "parse", "verify"]
