"""Whole libraries: all pictures of a prefix or an inventory taken in, looked at or printed again, and accounted for."""
