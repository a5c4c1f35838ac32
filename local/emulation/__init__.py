"""Patches for MiniStack, applied in its process: metrics, traces, limits and permissions.

``ministack_process.py`` imports this package in an environment that has only the standard library. Modules of this
package therefore import nothing else, and receive MiniStack's modules as arguments.
"""
