"""Many processes on one task; each thing here is the identity on one process."""
