"""Find what is wrong with a stack: facts that are read, and the checks that they pass or fail."""
