"""GPU textures: the encoder, the service and the function."""
