"""Public weights in diffusers' layout behind the same engine: what each pipeline class can do, and how it is called."""
