"""The board as pages, tables and pictures."""
