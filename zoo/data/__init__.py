"""Recordings, datasets, segmentation and transforms."""
