"""Scheduled checks of a deployment: CDN metrics, cost, remedies. The core never imports this package."""
