"""Neural building blocks for skeleton sequences of shape (N, T, V, C)."""
