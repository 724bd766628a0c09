"""What it costs to rank and show many runs: processor time and memory of the board.

    python benchmarks/many_runs.py RUNS --count 10000 --repeats 3

RUNS is any folder of finished runs of one entry (``zoo bench gru -d synthetic --runs RUNS``). Its
runs are copied under the names of further models, whose predictions are a little worse each, until
there are as many as asked for; only the two files of a run that a board reads are written. Each
form of the board is then made in a fresh process, one after the other, so that a busy machine slows
all of them alike; what is shown is processor time, of all threads, from the start of the process.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from zoo.build import build
from zoo.runs.record import RunRecord

FORMS = ("json", "md", "html")

SCRIPT = """
import json, resource, sys, time
import zoo
from zoo.report.publish import document
board = zoo.leaderboard(sys.argv[1])
ranked = time.process_time()
text = document(board, sys.argv[2])
seconds = time.process_time()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
runs = sum(len(entry.runs) for section in board.sections for entry in section.ranked)
print(json.dumps([runs, ranked, seconds, peak, len(text)]))
"""


def multiply(runs: Path, target: Path, count: int) -> int:
    """Write at least `count` runs below `target`, copies of those of `runs`; how many there are."""
    originals = sorted(file.parent for file in runs.rglob("run.json"))
    if not originals:
        raise SystemExit(f"there is no finished run below {runs}")
    made = 0
    for model in range(-(-count // len(originals))):
        for folder in originals:
            copy(folder, target / folder.relative_to(runs), model)
            made += 1
    return made


def copy(run: Path, like: Path, model: int) -> None:
    """The same run by another model, whose predictions are a little worse."""
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    name = f"{record['model']['name']}-{model}"
    record["model"] |= {"name": name, "title": name}
    record["key_hash"] = build(RunRecord, record, "record").key.hash
    folder = like.parent.with_name(name) / like.name
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    head, *rows = (run / "predictions.csv").read_text(encoding="utf-8").splitlines()
    shifted = []
    for row in rows:
        start, predicted, deviation = row.rsplit(",", 2)
        shifted.append(f"{start},{float(predicted) + 0.05 * model},{deviation}")
    (folder / "predictions.csv").write_text("\n".join([head, *shifted]) + "\n", encoding="utf-8")


def measure(runs: Path, form: str) -> tuple[int, float, float, float, int]:
    """Runs, seconds to rank them, seconds in all, megabytes at most, characters of the text."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(runs), form], capture_output=True, text=True, check=True
    )
    count, ranked, seconds, peak, size = json.loads(done.stdout)
    return count, ranked, seconds, peak, size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        multiply(args.runs, Path(folder), args.count)
        for _ in range(args.repeats):
            for form in FORMS:
                runs, ranked, seconds, peak, size = measure(Path(folder), form)
                print(
                    f"{runs} runs, {form}: ranked in {ranked:.1f} s, {seconds:.1f} s in all, "
                    f"{peak:.0f} MB, {size / 1e6:.1f} MB of text"
                )


if __name__ == "__main__":
    main()
