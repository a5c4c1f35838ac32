"""Masters in further buckets and on HTTPS origins (the setting ``sources``). The core never imports this package."""
