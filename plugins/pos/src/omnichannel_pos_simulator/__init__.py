"""Tills that sell, take back, void, close the day and export; driven by a seed."""
