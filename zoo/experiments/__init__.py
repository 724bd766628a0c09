"""Sweeps: many models over many exercises, folds and seeds, each run in its own folder."""
