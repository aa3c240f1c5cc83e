"""What must hold when things go wrong, shown by doing it many times; each with a control that must fail."""
