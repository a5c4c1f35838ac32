"""Render real requests of access logs with two builds, and compare the results."""
