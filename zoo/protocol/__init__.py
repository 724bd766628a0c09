"""Protocols: sampling, splits, scaler scope, and the leakage gate."""
