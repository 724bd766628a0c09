"""A model for skeleton-zoo."""
