"""One module per stream."""
