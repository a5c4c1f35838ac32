"""Scenes: pyramids of stills that are too large for one piece of work, made in strips.

:mod:`.planning` lays a scene out; :mod:`.cutting` makes the tiles of one strip, in any order and as often as it takes,
always the same bytes; :mod:`.crowning` makes what lies above all strips; :mod:`.binding` says how all that becomes one
BigTIFF, which S3 can put together without anybody reading it. :mod:`.writing` does the four in one process.
"""
