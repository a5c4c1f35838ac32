"""Scheduled work on a deployment: CDN metrics, cost, remedies, popular derivatives.

The core never imports this package.
"""
