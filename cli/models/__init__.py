"""Models: fetched from packages, converted, and written as folders that an endpoint loads."""
