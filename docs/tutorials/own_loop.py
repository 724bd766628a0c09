"""
Your own model in your own loop
===============================

The zoo's data and splits in a training loop of yours, with a model of PyTorch Geometric; then the other
way round: a model trained by the zoo, in a program of yours.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch_geometric.loader import DataLoader
from torch_geometric.nn import GraphConv, global_mean_pool

import zoo

work = Path(tempfile.mkdtemp())
small = {"dataset.people": 40, "dataset.repetitions": 2}

# %%
# One fold
# --------
#
# ``load_fold`` gives what the zoo's own trainer sees: who trains, who chooses the epoch and who is tested are
# other people, recordings are cut and scaled as the protocol says, and the leakage gate has looked at it.

fold = zoo.load_fold("synthetic", fold=0, exercise="5", overrides=small, data_root=work / "data")
for name in ("train", "validation", "test"):
    part = getattr(fold, name)
    print(f"{name:10}  {len(part):3} samples of {len(set(part.subject)):2} people")
print(tuple(fold.train.batch.x["position"].shape), "sequences, frames, joints, coordinates")

# %%
# As graphs
# ---------
#
# ``to_pyg`` makes a ``torch_geometric.data.Data`` of every sample: here one node a joint, with the whole
# course of its coordinates as features, and the bones as edges. (``"joint-frames"`` makes a node of every joint
# in every frame.)

graphs = fold.train.to_pyg("joints")
print(graphs[0])

# %%
# Any model of PyTorch Geometric takes them. The score is standardised, so that a loss of 1 is that of the
# mean score.


class Net(torch.nn.Module):
    """Two graph convolutions, the mean over joints, a line."""

    def __init__(self, channels, width=32):
        super().__init__()
        self.first = GraphConv(channels, width)
        self.second = GraphConv(width, width)
        self.line = torch.nn.Linear(width, 1)

    def forward(self, data):
        x = self.first(data.x, data.edge_index).relu()
        x = self.second(x, data.edge_index).relu()
        return self.line(global_mean_pool(x, data.batch))[:, 0]


torch.manual_seed(0)
model = Net(graphs[0].num_features)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2)
for _ in range(40):
    for batch in DataLoader(graphs, batch_size=8, shuffle=True):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(batch), batch.y)
        loss.backward()
        optimizer.step()

# %%
# In points
# ---------
#
# The scaler that was fitted on the training people turns answers into points. A figure means little without
# the one of the mean score beside it.

model.eval()
with torch.no_grad():
    (batch,) = DataLoader(fold.test.to_pyg("joints"), batch_size=len(fold.test))
    predicted = fold.target_scaler.inverse(model(batch))
true, mean = fold.test.score, fold.train.score.mean()
print(f"own model   MAD {(predicted - true).abs().mean():.2f}")
print(f"mean score  MAD {(mean - true).abs().mean():.2f}")

figure, axes = plt.subplots(figsize=(4, 3.4), layout="constrained")
axes.plot([0, 50], [0, 50], color="0.7")
axes.axhline(mean, color="0.7", linestyle="--")
axes.plot(true, predicted, "o")
axes.set_xlabel("clinical score")
axes.set_ylabel("predicted for people never seen")
plt.show()

# %%
# With tensors alone it is as short: ``fold.train.batch`` is what models of the zoo take, and
# ``zoo.create_model`` makes one.

network = zoo.create_model("tcn", layout="kinect-v2")
print(network(fold.train.batch).score.shape)

# %%
# A loop of your own makes a number of one fold. With a class under ``@register_model`` the zoo trains, tests and
# ranks the model like its own: see :doc:`/plugins`.
#
# The other way round
# -------------------
#
# A run of the zoo leaves a model that takes arrays: joint positions (T, V, 3) in metres. ``export`` writes it
# to one file, with its scalers, skeleton and protocol, and no code.

run = zoo.train(
    "ridge-pose",
    exercise="5",
    overrides=small,
    runs=work / "runs",
    data_root=work / "data",
)
file = zoo.export(run, work / "squat.zoo")
squat = zoo.load_model(file)

print(squat)

# %%
# Somebody from the test part does squats:

dataset = zoo.load_dataset("synthetic", work / "data", people=40, repetitions=2)
(recording,) = (r for r in dataset if r.id == fold.test.recording[0])
scored = squat.predict(recording.positions, fps=recording.fps)
print(f"predicted {scored.score:.1f}, clinical score {recording.scores['total']:.1f}")
