"""A finished run's model for other programs: as a graph of tensors, or as a bundle of this zoo."""
