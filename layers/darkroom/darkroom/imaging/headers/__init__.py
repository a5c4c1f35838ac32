"""Header readers, one module a container: what a decoder would have to allocate, without decoding anything."""
