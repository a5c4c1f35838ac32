"""JPEG (ITU-T T.81), and the gain maps that may follow it."""
