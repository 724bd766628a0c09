"""A paper's numbers beside ours, each with a verdict and its reason."""
