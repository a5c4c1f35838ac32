"""Tests of the dialects service."""
