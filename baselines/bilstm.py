"""BiLSTM: long short-term memory in both directions (Graves and Schmidhuber, Neural Networks 2005).

doi 10.1016/j.neunet.2005.06.042
"""

from torch import nn

from zoo.nn.recurrent import RecurrentScorer


class BiLSTM(RecurrentScorer):
    r"""Layers of LSTM cells over the frames, from first to last and from last to first.

    .. math::
        i_t, f_t, o_t &= \sigma(W x_t + U h_{t-1} + b) \\
        g_t &= \tanh(W_g x_t + U_g h_{t-1} + b_g) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
        h_t &= o_t \odot \tanh(c_t)

    x_t are all joints of frame t side by side; the two directions are put together before the
    next layer and before the head.
    """

    cell = nn.LSTM
    bidirectional = True
