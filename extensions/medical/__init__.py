"""Medical images, an extension."""
