"""The colours that things and clothes come in."""

COLOUR_RGB: dict[str, tuple[float, float, float]] = {
    "red": (0.86, 0.14, 0.15),
    "orange": (0.97, 0.50, 0.06),
    "yellow": (0.97, 0.87, 0.12),
    "green": (0.13, 0.70, 0.22),
    "turquoise": (0.10, 0.80, 0.76),
    "blue": (0.14, 0.30, 0.90),
    "purple": (0.55, 0.18, 0.80),
    "pink": (0.98, 0.45, 0.72),
    "white": (0.96, 0.96, 0.96),
    "black": (0.09, 0.09, 0.10),
}
