"""Exit codes by which a decoder reports failures. Python itself uses 1 and 2."""

DAMAGED = 3
NO_MEMORY = 4
