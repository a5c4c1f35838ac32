"""The IIIF Image API 3.0, served: pictures, ``info.json`` and what leads there, below ``/iiif/3/``.

What a URL means is :mod:`darkroom.dialects.iiif`'s to say; here is who may ask for it, and the answer.
"""

from .service import IiifService

__all__ = ["IiifService"]
