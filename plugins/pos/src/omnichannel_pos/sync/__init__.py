"""Streams, one module each."""
