"""How a dataset is sampled, split, scaled and guarded against leakage."""
