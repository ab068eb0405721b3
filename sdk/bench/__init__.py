"""The bench: what the models are worth and what they cost, measured and written down."""
