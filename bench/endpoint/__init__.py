"""Pictures a second through the model server, with batches and without."""
