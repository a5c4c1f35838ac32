"""Map tiles: time and cost of a tile, pixels beside rio-tiler's own output, and changes that are known.

``python -m bench.map_tiles`` prints the tables of extensions/map_tiles/docs/guide.md.
"""
