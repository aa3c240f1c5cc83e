"""Ways in for hosts that are not ASGI: the application runs on the event loop of `blocking(house)`."""
