"""Other services' URL languages, served."""
