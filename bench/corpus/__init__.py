"""Photographs and graphics from packages, in two disjoint halves for learning and testing."""
