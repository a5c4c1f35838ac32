"""Map tiles: time and cost of a tile, pixels beside rio-tiler's own output, and changes that are known.

``python -m extensions.map_tiles.bench`` prints the tables of extensions/map_tiles/docs/guide.md.
"""
