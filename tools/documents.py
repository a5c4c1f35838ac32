"""Write the generated parts of pages, and generated modules and schemas: ``python -m tools.documents``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from darkroom.plan.presets import load_default_presets
from tools import (
    cli_reference,
    diagram,
    event_schemas,
    foreign_page,
    frontends,
    gallery,
    iiif_page,
    licences,
    model_cards,
    page_vectors,
    settings_page,
    signatures_page,
    signing_vectors,
    url_reference,
)
from tools.dialect_pages import PAGES as DIALECT_PAGES
from tools.generated_blocks import ROOT, Content, fill

PAGES: dict[Path, Content] = {
    **{
        ROOT / name: url_reference.CONTENT
        for name in ("docs/reference/urls.md", "docs/getting-started/install.md", "README.md", "SECURITY.md")
    },
    ROOT / "docs" / "guides" / "uploads.md": url_reference.UPLOADS_CONTENT,
    **DIALECT_PAGES,
    **{
        page.PAGE: page.CONTENT
        for page in (
            cli_reference,
            foreign_page,
            gallery,
            iiif_page,
            licences,
            model_cards,
            settings_page,
            signatures_page,
        )
    },
}
"""Pages with generated parts, and what is generated for their places."""


def generate_files() -> Iterator[tuple[Path, str]]:
    """Yield every file and its text."""
    yield from ((page, fill(page.read_text(encoding="utf-8"), content)) for page, content in PAGES.items())
    yield from frontends.written(load_default_presets()).items()
    yield from event_schemas.documents().items()
    yield diagram.FILE, diagram.draw()
    yield signing_vectors.FILE, signing_vectors.written()
    yield page_vectors.FILE, page_vectors.written()


if __name__ == "__main__":
    for path, text in generate_files():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
