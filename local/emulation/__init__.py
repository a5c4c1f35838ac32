"""What MiniStack lacks, added to it in its own process: metrics, traces, bounds.

Everything here is imported by ``ministack_process.py``, which has neither this project's packages nor any but the
standard library's: so it imports nothing else, and takes MiniStack's modules as arguments.
"""
