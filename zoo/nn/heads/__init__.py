"""Heads: what a network says of its features, the score in it, and the loss it is trained with.

A model's own is an `MSEHead`; ``model.head=NAME`` puts another in its place. Hidden layers and
dropout stay; the last layer gets as many outputs as the head needs. What the layers say is the
*output* (N, K); the head reads score and variance from it and compares it with the true scores,
and where it is told to also the scores of pairs of sequences (`PairLosses`).

Axes: N sequences, K outputs, D features, B bins, all scores in standardised units.
"""

from zoo.nn.heads.base import Head, chosen_head, head_choice
from zoo.nn.heads.distribution import OrdinalHead, ScoreDistributionHead
from zoo.nn.heads.exemplar import ExemplarHead
from zoo.nn.heads.masked import MaskedJointsHead
from zoo.nn.heads.pairs import PairLosses
from zoo.nn.heads.parts import PartDistributionsHead, PartsHead
from zoo.nn.heads.process import ProcessHead
from zoo.nn.heads.regression import GaussianHead, HuberHead, MSEHead

__all__ = [
    "ExemplarHead",
    "GaussianHead",
    "Head",
    "HuberHead",
    "MSEHead",
    "MaskedJointsHead",
    "OrdinalHead",
    "PairLosses",
    "PartDistributionsHead",
    "PartsHead",
    "ProcessHead",
    "ScoreDistributionHead",
    "chosen_head",
    "head_choice",
]
