"""Benchmarks of the deployed handler beside its peers: ``python -m bench`` prints ratios and writes them down.

``pictures`` makes the photographs, ``link`` is S3 behind a slow line, ``runtime`` is Lambda, ``contenders`` are what
runs in it, ``trial`` asks them in turn, ``quality`` looks at what they answered, ``report`` and ``chart`` tell.
"""
