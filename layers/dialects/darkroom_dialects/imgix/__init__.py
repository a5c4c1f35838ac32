"""imgix's URLs, by its documentation: ``/<path>?<parameters>``, with a signature in ``s``."""

from .options import OPTION_MAPPINGS
from .url import parse, sign, verify

__all__ = ["OPTION_MAPPINGS", "parse", "sign", "verify"]
