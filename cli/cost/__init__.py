"""Estimate the cost of a stack's month so far from its metrics and the price table."""
