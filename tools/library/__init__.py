"""Runs over whole libraries, from the command line."""
