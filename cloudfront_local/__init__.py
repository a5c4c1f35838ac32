"""An emulator of the deployed CloudFront distribution, configured through the CloudFront API.

The pure modules (``cache_key``, ``freshness``, ``conditional``, ``byte_range``, ``forwarding``, ``response_headers``,
``patterns``, ``edge_event``, ``access_log``) use no sockets, clocks or AWS; ``edge`` runs them in CloudFront's order.
``server`` (viewers), ``origins`` (S3 and Function URLs), ``edge_function`` (V8), ``read_config`` and ``log_delivery``
(boto3) do the input and output.
"""
