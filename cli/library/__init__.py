"""Start and follow bulk jobs from the command line."""
