"""Traffic spikes of cache misses: simultaneous viewers of a stack with limited concurrency.

``viewers`` send requests, ``server_log`` reads the number of concurrent renders from the function's log, ``stack`` is
the stack, ``run`` combines them and reports faults.
"""
