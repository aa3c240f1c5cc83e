"""A driver whose remote does what a test says."""
