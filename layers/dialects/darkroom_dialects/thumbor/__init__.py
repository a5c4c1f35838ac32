"""thumbor's URLs, as of thumbor 7.8: ``/<signature|unsafe>/300x200/smart/filters:quality(80)/image.jpg``."""

from .url import OPTION_MAPPINGS, parse, sign, verify

__all__ = ["OPTION_MAPPINGS", "parse", "sign", "verify"]
