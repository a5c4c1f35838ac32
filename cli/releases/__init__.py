"""Releases: read from a folder or an address, and deployed without SAM and without a build."""
