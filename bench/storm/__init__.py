"""Storms of cache misses: viewers who all ask at once, of a stack that may render few pictures at a time.

``viewers`` ask, ``told`` reads in the function's log how many it rendered at a time, ``stage`` is the stack, ``storm``
puts them together and says what is not as it should be.
"""
