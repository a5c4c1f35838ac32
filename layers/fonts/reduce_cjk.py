"""Reduce Noto Sans CJK to common characters: ``python reduce_cjk.py COLLECTION RESULT``.

The result is the face for simplified Chinese with its variable weight. It has the characters of GB 2312, JIS X 0208,
Big5 level 1 and KS X 1001 without hanja, and their shapes for each language (feature ``locl``). The rest has empty
outlines and is not in the table of characters, so that it is drawn as missing. Glyphs keep their numbers, and outlines
are copied as they are, which takes seconds; fontTools' subsetter decodes them and needs more than a minute.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from fontTools.ttLib import TTFont

SIMPLIFIED_CHINESE = 2
"""The number of the face in the collection."""

CHARACTER_SETS = {"gb2312": (0xA1, 0xFF), "shift_jis": (0x81, 0xF0), "big5": (0xA1, 0xC7), "euc_kr": (0xA1, 0xC9)}
"""Codecs, and the range of the first byte: without level 2 of Big5 and the hanja of KS X 1001."""

FROM_CODE_POINT = 0x2000
"""Letters below are those of the other fonts."""

SPACE = 0x20
"""Is as wide as in the font of the characters before it."""

UNUSED_TABLES = ("BASE", "DSIG", "VORG", "VVAR", "vhea", "vmtx")
"""For vertical text, and a signature that no longer matches."""


def list_code_points() -> set[int]:
    """Return the code points of all sets."""
    found = {*range(0x3000, 0x3100), *range(0xFF00, 0xFFF0)}
    for codec, leads in CHARACTER_SETS.items():
        for lead in range(*leads):
            texts = (bytes([lead, trail]).decode(codec, errors="ignore") for trail in range(0x40, 0xFF))
            found |= {ord(text) for text in texts if len(text) == 1}
    return {SPACE, *(code for code in found if code >= FROM_CODE_POINT)}


def list_localised(font: TTFont, names: set[str]) -> Iterator[str]:
    """Yield the glyphs that replace one of ``names`` in one of the languages."""
    table = font["GSUB"].table
    features = (one for one in table.FeatureList.FeatureRecord if one.FeatureTag == "locl")
    for at in {at for one in features for at in one.Feature.LookupListIndex}:
        for subtable in table.LookupList.Lookup[at].SubTable:
            mapping = getattr(subtable, "ExtSubTable", subtable).mapping
            yield from (mapping[name] for name in names if name in mapping)


def reduce_font(font: TTFont, code_points: set[int]) -> None:
    """Remove the outlines of all glyphs but those of ``code_points`` in any language, and unused tables."""
    for tables in font["cmap"].tables:
        if hasattr(tables, "cmap"):
            tables.cmap = {code: name for code, name in tables.cmap.items() if code in code_points}
    names = set(font.getBestCmap().values())
    kept = {".notdef", font.getGlyphName(0), *names, *list_localised(font, names)}
    outlines = font["CFF2"].cff.topDictIndex[0].CharStrings
    for name, at in outlines.charStrings.items():
        if name not in kept:
            outlines.charStringsIndex[at].bytecode = b""
    for tag in UNUSED_TABLES:
        del font[tag]


def main() -> None:
    """Read the collection of the first argument, and write the font of the second."""
    font = TTFont(sys.argv[1], fontNumber=SIMPLIFIED_CHINESE, lazy=True, recalcTimestamp=False)
    reduce_font(font, list_code_points())
    font.save(sys.argv[2], reorderTables=False)


if __name__ == "__main__":
    main()
