"""
Reading a board
===============

Which model is best, is it better than nothing, and could it be chance? A small board is computed here in
seconds, on simulated people, and read line by line. The board of KIMORE has the same columns.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

import zoo

work = Path(tempfile.mkdtemp())
places = {"runs": work / "runs", "data_root": work / "data"}

# %%
# Four models that train in no time, two of which look at no movement: ``mean`` gives everybody the mean
# training score, ``knn-bones`` the score of the training person with the most similar bone lengths. Two
# protocols: one that keeps people apart, and one that splits pieces of recordings at random.

swept = zoo.bench(
    ["mean", "knn-bones", "ridge-pose", "ridge-motion"],
    "synthetic",
    exercises=["5"],
    seeds=[0],
    protocols=["person-kfold", "random-kfold"],
    overrides={"dataset.people": 40, "dataset.repetitions": 2},
    jobs=1,
    **places,
)
print(swept.finished, "runs,", len(swept.failures), "failed")

# %%
# A board has one section for each dataset and protocol. What was measured otherwise is never ranked
# together. In a notebook it shows itself; ``to_dataframe()`` gives the same to pandas.

board = zoo.leaderboard(places["runs"])
board

# %%
# The honest one
# --------------
#
# Every row is one model over all five folds. In brackets stands the 95 % interval of its MAD, by bootstrap
# over people. It says how much the figure depends on who took part; nothing of other seeds is in it.

honest, leaky = sorted(board.sections, key=lambda section: section.protocol.leaky)
figure, axes = plt.subplots(figsize=(6, 2.2), layout="constrained")
for row in honest.ranked:
    mad = row.metrics["mean"]["mad"]
    print(f"{row.rank}  {row.model:12}  {mad.value:5.2f} ({mad.low:.2f} to {mad.high:.2f})")
    axes.plot([mad.low, mad.high], [row.model] * 2, color="tab:blue")
    axes.plot(mad.value, row.model, "o", color="tab:blue")
axes.invert_yaxis()
axes.set_xlabel("MAD in points, 95 % interval over people")
plt.show()

# %%
# Two of these intervals may overlap although one model is clearly better: both move with the same people.
# So models are compared person by person, and the difference has an interval of its own. Below zero the
# model is better than the mean score; ``permutation_holm`` is the chance of such a difference between equal
# models, corrected for the number of comparisons.

for row in honest.ranked:
    if row.versus_mean is not None and not row.mean_score:
        d = row.versus_mean
        print(f"{row.model:12}  {d.difference:+5.2f} ({d.low:+.2f} to {d.high:+.2f})", end="")
        print(f"  p = {d.permutation_holm:.4f}")

# %%
# Any two models are compared like this, from their stored predictions:

first, second = (row.name for row in honest.ranked[:2])
print(zoo.compare(first, second, places["runs"], protocol=honest.protocol.name).verdict)

# %%
# *Tied with the best* is whatever is not worse than the first beyond noise. It does not mean equal.

print([row.model for row in honest.ranked if row.tied_with_best])

# %%
# The leaky one
# -------------
#
# The same models on the same people, with pieces of one person on both sides of the split. What wins now is
# what recognises people: the neighbour on bone lengths, which was worse than the mean score above. A board like this ranks models by how well they recognise people.

for row in leaky.ranked:
    print(f"{row.rank}  {row.model:12}  {row.mad:5.2f}")

# %%
# On a page
# ---------
#
# ``zoo leaderboard --output board.html`` writes the same as one page, with figures, a comparison of any two
# models, and the runs behind every number. Here are the two protocols side by side:

for pair in board.pairs:
    for row in pair.models:
        name = row.name.split()[0]  # without the settings
        print(f"{name:12}  honest {row.honest_mad:5.2f}   leaky {row.leaky_mad:5.2f}")
