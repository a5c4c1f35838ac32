"""Render the first page of a PDF document by PDFium: ``python -m document_pages.pdf_worker``.

Scripts and XFA forms are not run: the library is built without them. The argument is the longest side in px.
"""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

from collections.abc import Callable

import pypdfium2
from PIL import Image

from darkroom_pipeline.conversion.confine import main
from darkroom_pipeline.conversion.encode import encode

MAX_UNITS = 20_000
"""The longest side of a page in points; Acrobat allows 14,400."""

_SAMPLE = b"""%PDF-1.4
1 0 obj <</Type /Catalog /Pages 2 0 R>> endobj
2 0 obj <</Type /Pages /Kids [3 0 R] /Count 1>> endobj
3 0 obj <</Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] /Contents 4 0 R /Resources <</Font <</F 5 0 R>>>>>> endobj
4 0 obj <</Length 30>> stream
BT /F 12 Tf 9 9 Td (Aa) Tj ET
endstream endobj
5 0 obj <</Type /Font /Subtype /Type1 /BaseFont /Helvetica>> endobj
trailer <</Root 1 0 R>>
"""
"""A page with text, for which PDFium searches fonts: a confined process cannot."""


def prepare(arguments: list[str]) -> Callable[[bytes], bytes]:
    """Return the renderer for the longest side that is the only argument."""
    side_px = int(arguments[0])
    Image.MAX_IMAGE_PIXELS = None
    render(_SAMPLE, 16)
    return lambda data: render(data, side_px)


def render(data: bytes, side_px: int) -> bytes:
    """Return the first page as PNG, ``side_px`` along its longer side, on white.

    Raises ValueError for a page of no size, pypdfium2.PdfiumError for a damaged or encrypted document.
    """
    page = pypdfium2.PdfDocument(data)[0]
    width, height = page.get_size()
    if not (min(width, height) > 0 and max(width, height) <= MAX_UNITS):
        raise ValueError(f"a page of {width} × {height} points")
    image = page.render(scale=side_px / max(width, height)).to_pil()
    return encode(image.convert("RGB"), lossless=True)


if __name__ == "__main__":
    main(prepare)
