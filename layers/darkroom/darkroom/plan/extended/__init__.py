"""What other services' URL languages ask for beyond our own options.

These options are in canonical paths only: the grammars write them, viewers of native URLs know none, and the edge
function, which has no room for them, neither.
"""
