"""Documentation made from code: pages of the reference, and the one file that holds every public signature."""
