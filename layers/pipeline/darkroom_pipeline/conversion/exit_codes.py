"""Exit codes by which a decoder reports failures. Python itself uses 1 and 2."""

DAMAGED = 3
NO_MEMORY = 4
FAULTY = 5
"""The decoder itself has a defect, such as a module that it loads too late."""
