"""The review app: decisions about held images, the audit log and a URL playground, for people who sign in.

The function ``review`` and the console of the local stack serve the same pages and the same API. The core never imports
this package.
"""
