"""Scheduled checks of a deployment: CDN metrics, cost, and remedies."""
