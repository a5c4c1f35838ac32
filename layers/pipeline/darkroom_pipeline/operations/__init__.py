"""Work on a deployment: scheduled checks (CDN metrics, cost), remedies, lost uploads, popular derivatives, erasures.

The core never imports this package.
"""
