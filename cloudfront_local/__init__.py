"""A CDN that behaves as the deployed CloudFront distribution is configured to, read back through the CloudFront API.

The pure parts (``cache_key``, ``freshness``, ``conditional``, ``byte_range``, ``forwarding``, ``response_headers``,
``patterns``, ``edge_event``, ``access_log``) know nothing of sockets, clocks or AWS; ``edge`` puts them in CloudFront's
order; the rim is ``server`` (viewers), ``origins`` (S3 and Function URLs), ``edge_function`` (V8), ``read_config`` and
``log_delivery`` (boto3).
"""
