"""Studies: a paper's tables and figures as sweeps with a report at the end."""
