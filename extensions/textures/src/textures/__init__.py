"""GPU textures: rendered images as KTX2 files with mipmaps, compressed by Basis Universal. Not imported by the core."""
