"""The life of connections: managing, authorizing, checking, synchronizing, delivering, deleting."""
