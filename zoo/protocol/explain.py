"""A protocol in words."""

from zoo.protocol.protocol import Protocol

_TARGETS = {
    "zscore": "standardised to mean 0 and deviation 1",
    "minmax": "brought to 0 … 1",
    "none": "taken as they are",
}
_AGGREGATES = {
    "mean": "a recording's score is the mean of its samples' scores; figures are per recording",
    "median": "a recording's score is the median of its samples' scores; figures are per recording",
    "none": "every sample is scored by itself; figures are per sample",
}


def explain(protocol: Protocol) -> dict[str, str]:
    """What the protocol does, a sentence or two by subject, in the order in which it is done."""
    return {
        "samples": _samples(protocol),
        "split": protocol.split.describe(),
        "scaling": _scaling(protocol),
        "weights": _weights(protocol),
        "figures": f"{_AGGREGATES[protocol.aggregate]}.".capitalize(),
        "seeds": _seeds(protocol.seeds),
        "leaks": f"Yes: {protocol.leak_reason.rstrip('. ')}."
        if protocol.leaky
        else "No: the leakage gate refuses to train when a person, a recording or a near-duplicate "
        "of one stands on both sides.",
    }


def _samples(protocol: Protocol) -> str:
    sampling = protocol.sampling
    what = {
        "recording": "A recording is one sample",
        "pieces": f"A recording is cut into {sampling.pieces} equal pieces, each a sample",
        "windows": f"A recording is cut into windows of {sampling.length} frames, one every "
        f"{sampling.stride or sampling.length} frames, each a sample",
        "repetitions": "A recording is cut into its repetitions, each a sample",
    }[sampling.kind]
    steps = ", ".join(step.name for step in protocol.transforms)
    done = f"after {steps} on the whole recording" if steps else "nothing is done to the joints"
    if protocol.frames is None:
        return f"{what}; {done}; samples keep their lengths."
    return f"{what}; {done}; each sample is brought to {protocol.frames} frames."


def _scaling(protocol: Protocol) -> str:
    on = (
        "on all samples, the test among them" if protocol.scaler == "all" else "on training samples"
    )
    streams = (
        "Streams are not scaled"
        if protocol.scaler == "none"
        else f"Streams are z-scored by joint and coordinate, fitted {on}"
    )
    fitted = "" if protocol.target_scale == "none" else f", fitted {on}"
    return f"{streams}. Scores are {_TARGETS[protocol.target_scale]}{fitted}."


def _weights(protocol: Protocol) -> str:
    if protocol.selection == "last":
        return "Those after the last epoch are tested."
    if protocol.selection == "refit":
        return (
            "The epoch with the smallest error on the validation part is chosen; those of a "
            "training anew on training and validation people together, as many epochs long, are "
            "tested."
        )
    return "Those of the epoch with the smallest error on the validation part are tested."


def _seeds(seeds: tuple[int, ...]) -> str:
    several = f"s {', '.join(map(str, seeds))}" if len(seeds) > 1 else f" {seeds[0]}"
    return f"A comparison trains every fold with the seed{several}."
