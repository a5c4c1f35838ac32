"""Photographs and graphics out of packages: some to learn from, others to be tested by, none in both."""
