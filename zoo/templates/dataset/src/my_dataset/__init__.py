"""A dataset for skeleton-zoo."""
