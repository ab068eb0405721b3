"""The durable queue of jobs, the workers that make them, and the files they leave."""
