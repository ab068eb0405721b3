"""mediagen: generated film. A prompt becomes a video with its soundtrack; see `mediagen.sdk` for the public face."""

__version__ = "0.1.0"
