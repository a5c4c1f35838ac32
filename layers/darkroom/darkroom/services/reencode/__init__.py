"""Pictures that were encoded while somebody waited are encoded once more when nobody does."""
