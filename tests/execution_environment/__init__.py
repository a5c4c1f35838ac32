"""Functions run from their built layers in Lambda's execution environment.

The environment is bubblewrap's, without Docker: :mod:`base_image` is the file system of AWS's base image for Python
3.13, :mod:`environment` starts AWS's emulator and runtime client in it, and :mod:`memory` limits and measures it.
"""
