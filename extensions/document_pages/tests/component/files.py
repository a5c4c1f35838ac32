"""PDF documents that tests make."""

from __future__ import annotations


def document(body: str, *, box: str = "0 0 200 100", resources: str = "", further: str = "") -> bytes:
    """A PDF document of one page with the content ``body``."""
    return f"""%PDF-1.4
1 0 obj <</Type /Catalog /Pages 2 0 R>> endobj
2 0 obj <</Type /Pages /Kids [3 0 R] /Count 1>> endobj
3 0 obj <</Type /Page /Parent 2 0 R /MediaBox [{box}] /Contents 4 0 R /Resources <<{resources}>>>> endobj
4 0 obj <</Length {len(body)}>> stream
{body}
endstream endobj
{further}
trailer <</Root 1 0 R>>
""".encode()


RED_HALF = document("1 0 0 rg 0 0 100 100 re f")
"""A document of 200 × 100 points, whose left half is red."""
