"""Who is trained on and who is tested: ways of splitting, each a rule with its settings.

Each registers itself, as a plug-in's does; docs/extending.md adds one. How people and samples are
evenly divided, the same on every machine, is in `zoo.protocol.splits.stratified`.
"""

# They register themselves.
from zoo.protocol.splits import cross_dataset, fewer, folds_file, group_out, kfold, parts  # noqa: F401
from zoo.protocol.splits.rule import SplitRule, split_rule

__all__ = ["SplitRule", "split_rule"]
