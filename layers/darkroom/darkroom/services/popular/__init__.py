"""What viewers ask for often, counted in the CDN's access logs: a stored one never reaches a function again."""
