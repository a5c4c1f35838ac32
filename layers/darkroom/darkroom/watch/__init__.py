"""What figures mean: objectives, drift, quality, cost, and what follows from them. Pure, without effects."""
