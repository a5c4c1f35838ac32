"""Tests of releases: what they contain, and their installation."""
