"""Training: the one loop, the Task seam, checkpoints, logs, and the tasks of the core models."""
