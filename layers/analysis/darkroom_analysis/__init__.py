"""Image analysis: models, their operation, findings of masters, and people's decisions about them."""
