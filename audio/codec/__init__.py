"""Sound as latent frames and back: `model` is our own codec, `encodec` another's, `export` the decoder as ONNX."""
