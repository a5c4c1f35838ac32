"""Map tiles of georeferenced rasters, and changes between two of them.

Two functions of an extension import it. The package ``darkroom`` never does.
"""
