"""Find frequently requested derivatives by the CDN's access logs: hits of stored ones reach no function."""
