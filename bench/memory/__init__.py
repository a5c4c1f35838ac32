"""Five hundred mixed pictures, one after the other through one process: its memory after each."""
