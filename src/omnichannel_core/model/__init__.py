"""What the house keeps: plain values."""
