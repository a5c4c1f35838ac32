"""Flow 3: models look at what was taken in, and what they find is kept where pictures and searches can use it."""
