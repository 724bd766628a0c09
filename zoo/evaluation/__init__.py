"""Metrics in score units, and predictions of recordings from those of their samples."""
