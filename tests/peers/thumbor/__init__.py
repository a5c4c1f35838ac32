"""thumbor's URLs beside a running thumbor."""
