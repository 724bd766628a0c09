"""Heads with a loss of their own, for any model that ends in a `RegressionHead`.

``model.head=NAME`` puts one in the place of a model's head. Hidden layers and dropout of that head
stay; its last layer gets as many outputs as the new head needs. What the layers say is the *output*
(N, K); the head reads score and variance from it and compares it with the true scores.

Axes: N sequences, K outputs, D features, B bins, all scores in standardised units.
"""

from zoo.nn.score_heads.base import Reading, ScoreHead
from zoo.nn.score_heads.choice import HEADS, attach_head, head_choice
from zoo.nn.score_heads.distribution import ScoreDistributionHead
from zoo.nn.score_heads.exemplar import ExemplarHead
from zoo.nn.score_heads.ordinal import OrdinalHead
from zoo.nn.score_heads.parts import PartDistributionsHead, PartsHead
from zoo.nn.score_heads.regression import GaussianHead, HuberHead, MSEHead

__all__ = [
    "HEADS",
    "ExemplarHead",
    "GaussianHead",
    "HuberHead",
    "MSEHead",
    "OrdinalHead",
    "PartDistributionsHead",
    "PartsHead",
    "Reading",
    "ScoreDistributionHead",
    "ScoreHead",
    "attach_head",
    "head_choice",
]
