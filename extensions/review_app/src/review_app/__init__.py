"""Sign-in for the review app: the user pool's pages and tokens."""
