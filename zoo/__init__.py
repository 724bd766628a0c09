"""skeleton-zoo: skeleton graph models for scoring rehabilitation exercises, compared honestly.

    import zoo

    dataset = zoo.load_dataset("kimore")
    model = zoo.create_model("d2sta", layout="kinect-v2")
    run = zoo.train(model="d2sta", dataset="kimore", exercise="5", fold=0)
    zoo.evaluate(run.path)
    zoo.list_models("*gcn*")
    zoo.view(run, ["E_ID1/Es5"], "movement.html")
    zoo.export(run, "model.zoo")
    zoo.load_model("model.zoo").predict(positions, fps=30)

Importing this module alone imports no torch.
"""

from zoo.api import bench as bench
from zoo.api import compare as compare
from zoo.api import evaluate as evaluate
from zoo.api import experiment as experiment
from zoo.api import export as export
from zoo.api import leaderboard as leaderboard
from zoo.api import load_dataset as load_dataset
from zoo.api import predict as predict
from zoo.api import prepare_dataset as prepare_dataset
from zoo.api import train as train
from zoo.api import view as view
from zoo.loading import list_datasets as list_datasets
from zoo.loading import load_fold as load_fold
from zoo.loading import load_layout as load_layout
from zoo.loading import load_model as load_model
from zoo.models import create_model as create_model
from zoo.models import list_models as list_models

__version__ = "0.1.0"
