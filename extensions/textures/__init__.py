"""GPU textures, an extension."""
