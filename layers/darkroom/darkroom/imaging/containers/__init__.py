"""How each file format is cut into pieces; header readers and the metadata cleaner walk the same cuts."""
