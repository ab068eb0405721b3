"""What the core models are trained on: one Task a file."""
