"""The first page of PDF documents as an image: its rendering, and the uploads made of it."""
