"""Large images: one that is refused, one that has to fit into memory, one that becomes a small cover."""
