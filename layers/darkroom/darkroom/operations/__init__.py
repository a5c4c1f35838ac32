"""Scheduled work on a deployment: CDN metrics, cost, remedies, lost uploads, popular derivatives.

The core never imports this package.
"""
