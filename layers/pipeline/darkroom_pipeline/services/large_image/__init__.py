"""Large images: a state machine has them planned, cut in strips and assembled. Each step may be repeated."""
