"""The procedural world: captioned scenes with pictures and 48 kHz sound from a seed, and the truth of every measure.

`scene.Scene` is pure data; `motion` moves it, `draw` pictures it, `sounds` sounds it, `words` says it;
`mediagen.data.world` serves it.
"""
