"""Pyramids: tiled TIFFs of TIFFs and large images, made in one piece or in strips.

:mod:`.build` makes a pyramid in one piece. A larger image is made in strips: :mod:`.plan` lays it out; :mod:`.strips`
encodes the tiles of one strip, in any order, with the same bytes each time, and the levels above all strips;
:mod:`.assemble` plans how they become one BigTIFF, which S3 assembles from the parts by itself.
"""
