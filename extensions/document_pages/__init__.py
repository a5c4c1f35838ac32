"""Document pages, an extension."""
