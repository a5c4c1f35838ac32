"""Cloudinary's URLs, by its documentation: ``/<cloud>/image/upload/<transformations>/v<version>/<public ID>``."""

from .options import OPTION_MAPPINGS
from .url import insert_signature, parse, remove_signature, sign, verify

__all__ = ["OPTION_MAPPINGS", "insert_signature", "parse", "remove_signature", "sign", "verify"]
