"""Neural building blocks for skeleton sequences of shape (N, T, V, C).

N sequences, T frames, V joints, C channels.
"""
