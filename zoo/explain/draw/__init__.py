"""Attributions and attention as pictures; matplotlib is imported when something is drawn."""
