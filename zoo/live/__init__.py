"""Scores while the patient moves: frames in one by one, scores of all so far out."""

from zoo.live.stream import Repetition as Repetition
from zoo.live.stream import Stream as Stream
from zoo.live.stream import Update as Update
