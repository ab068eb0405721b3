"""Building blocks of the networks: torch only, no knowledge of media, text or files.

Legend of shapes, used in every docstring of the project:
B batch, F frames, H height, W width, C channels, N tokens, D model width, S samples of sound, L latent frames,
M text tokens.
"""
