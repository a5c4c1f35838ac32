"""Chaos test: uploads run while AWS calls fail and workers are killed; the final state is checked for loss."""
