"""Experiments: simulations, and the page with results."""
