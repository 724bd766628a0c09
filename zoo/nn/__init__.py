"""Neural building blocks for skeleton sequences of shape (N, T, V, C).

N sequences, T frames, V joints, C channels. A layer's `num_joints` is V, its `channels` C, its
`in_channels` and `out_channels` are C_in and C_out; their docstrings do not say it again.
"""

from zoo.skeleton.graph import space_time_edges as space_time_edges
