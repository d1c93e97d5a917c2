"""Spusk's side of each comparison."""
