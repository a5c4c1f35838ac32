"""Images that tests draw or load, and comparisons between them."""
