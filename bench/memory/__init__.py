"""Send five hundred mixed images through one process, and measure its memory after each."""
