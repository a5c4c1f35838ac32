"""Map tiles, an extension."""
