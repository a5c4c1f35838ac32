"""Record warm requests with py-spy, and draw them as a flame graph."""
