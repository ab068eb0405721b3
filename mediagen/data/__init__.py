"""Streams of training clips: of the `world`, of a `folder`, and the `cache` of what frozen encoders made of them."""
