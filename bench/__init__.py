"""Benchmarks of the deployed handler beside its peers: ``python -m bench`` measures, and judges by ``goals.toml``.

Each of ``parts`` measures something and gives a :class:`~bench.goals.Section`; ``page``, ``runs`` and ``chart`` tell
of them. Of what they share, ``pictures`` makes the photographs, ``link`` is S3 behind a slow line, ``runtime`` is
Lambda, ``contenders`` are what runs in it, ``equal`` makes their pictures alike, ``trial`` asks them in turn,
``quality`` looks at what they answered, ``floors`` says what physics asks for, ``report`` compares.
"""
