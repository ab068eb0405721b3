"""Weights of the default models, trained by the recipes of this project on its procedural world."""
