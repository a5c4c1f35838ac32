"""Attacks over HTTP on one deployed local stack without inference, with every dialect in mode ``guarded``."""
