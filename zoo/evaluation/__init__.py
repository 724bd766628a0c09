"""Metrics in score units and their aggregation."""
