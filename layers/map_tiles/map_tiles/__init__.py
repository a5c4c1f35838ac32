"""Map tiles of georeferenced rasters, and changes between two of them.

An optional package of two functions of its own (``stacks/map-tiles.yaml``). The package ``darkroom`` never imports it.
"""
