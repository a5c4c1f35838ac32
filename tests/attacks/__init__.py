"""Attacks on the service as tables of cases and bounded fuzzers (``make attacks``).

Each test checks a property that no request may break: what is stored, what is served, what a render costs. Tests here
run in process, on MiniStack where they store anything. Tests in ``stack/`` share one deployed local stack. All are
marked ``slow``. The fixture ``tally`` counts requests, objects or files; the sums are logged at the end.
"""
