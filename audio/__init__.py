"""48 kHz sound: codec, conditions, model, generation, measures and training of the audio diffusion transformer."""

if __name__ != "mediagen.audio":
    raise ImportError(
        "got the bare name 'audio', expected 'mediagen.audio'; write 'from mediagen import audio' instead."
    )
