"""REST: every action of the pages and of the command line, over the same services."""
