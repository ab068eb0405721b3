"""A service of `mediagen serve` with the face of an Engine."""
