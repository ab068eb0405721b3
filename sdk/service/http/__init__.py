"""The service as HTTP: an application, its routes, its guard and what it answers."""
