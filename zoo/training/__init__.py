"""Training, checkpoints and seeding."""
