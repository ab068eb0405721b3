"""Decoders as ONNX files: `write` makes one from a family's `graph`, `card` says what it is, `runtime` runs it."""
