"""
Your own recordings
===================

From a folder of files that a camera wrote to a board, and to a score of the next recording. Here it is done in
Python with a folder that is made up first; :doc:`/own-recordings` does the same with commands, and has ``zoo data
new``, which writes the two files below for you as far as it can.
"""

import csv
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

import zoo
from zoo.data.simulator import Settings, record

work = Path(tempfile.mkdtemp())
clinic = work / "clinic"
clinic.mkdir()
places = {"runs": work / "runs", "data_root": work / "data"}

# %%
# A folder of files
# -----------------
#
# Twenty-four people do squats. Each file has a row a frame and three columns a joint, in metres, as many
# programs write them: ``SpineBase_x, SpineBase_y, SpineBase_z, …``

joints = zoo.load_layout("kinect-v2").joints
header = [f"{joint}_{axis}" for joint in joints for axis in "xyz"]


def write(number):
    """Write the squats of one simulated person; return the name of the file and the score."""
    squats = record(number, "5", Settings(repetitions=2))
    file = clinic / f"P{number:02d}_squat.csv"
    with file.open("w", newline="") as opened:
        lines = csv.writer(opened)
        lines.writerow(header)
        lines.writerows(squats.positions.reshape(len(squats.positions), -1).round(4).tolist())
    return file.name, round(squats.scores["total"], 1)


scores = dict(write(number) for number in range(24))
print(*sorted(file.name for file in clinic.iterdir())[:3], "…")

# %%
# Whose they are, and what they scored
# ------------------------------------
#
# ``recordings.csv`` has a row a recording. The column ``person`` decides whether the comparison is honest: all
# recordings of a person must have the same name there, for splits keep people apart by it.

rows = [[file, file[:3], "squat", score] for file, score in scores.items()]
with (clinic / "recordings.csv").open("w", newline="") as opened:
    csv.writer(opened).writerows([["file", "person", "exercise", "score"], *rows])

# %%
# ``dataset.yaml`` says what the files are.

(clinic / "dataset.yaml").write_text(
    """
title: Squats in our clinic
reader: wide-csv
layout: kinect-v2
settings: {fps: 30, units: m, up: y}
scores:
  range: [0, 50]
  meaning: sum of ten items, two physiotherapists
exercises:
  squat: Squat
"""
)

# %%
# Prepare
# -------
#
# Everything is looked at once: what cannot be believed is left out with its reason, what is merely odd is noted.

dataset = zoo.prepare_dataset("clinic", clinic, places["data_root"])
print(len(dataset), "recordings of", len(dataset.subjects), "people")

# %%
# A person, in the middle of the first squat, to see that up is up:

first = next(iter(dataset))
layout = zoo.load_layout("kinect-v2")
pose = first.positions[len(first.positions) // 4]
figure, axes = plt.subplots(figsize=(2.5, 3.4), layout="constrained")
for joint, parent in layout.bones:
    axes.plot(
        pose[[joint, parent], 0], pose[[joint, parent], 1], "o-", color="tab:blue", markersize=3
    )
axes.set_aspect("equal")
axes.set_xlabel("metres")
plt.show()

# %%
# Compare
# -------
#
# From here on ``clinic`` is a dataset like any other. ``mean`` belongs on every board: what does not beat it has
# learnt nothing.

swept = zoo.bench(
    ["mean", "ridge-pose", "ridge-motion"],
    "clinic",
    exercises=["squat"],
    seeds=[0],
    jobs=1,
    **places,
)
(section,) = zoo.leaderboard(places["runs"], "clinic").sections
for row in section.ranked:
    mad = row.metrics["mean"]["mad"]
    print(f"{row.rank}  {row.model:12}  {mad.value:5.2f} ({mad.low:.2f} to {mad.high:.2f})")

# %%
# Twenty-four people are few, and the intervals say so.
#
# Score what comes next
# ---------------------

run = zoo.train("ridge-motion", "clinic", exercise="squat", resume=True, **places)
next_one, truth = write(99)
(scored,) = zoo.predict(run, [clinic / next_one], data_root=places["data_root"])
print(f"predicted {scored.score:.1f}, clinical score {truth}")
for note in scored.notes:
    print(note)
