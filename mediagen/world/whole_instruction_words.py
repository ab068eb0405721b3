"""The words of instructions about a whole picture, in the halves of `instruction_words`."""

from mediagen.world.instruction_words import Phrasings

# fmt: off (a line for each half)
# Said by what the picture becomes, or (of weather and style) by what goes, {v}.
BECOMES: dict[str, dict[str, Phrasings]] = {
    "time": {
        "day": (
            (
                "make it day",
                "let it be day",
                "turn night into day",
                "change it to daytime",
                "set it in daylight",
                "by day",
                "i want a bright day",
                "make it a bright day",
                "let the sun come up",
                "the sun should rise",
                "show it by day",
            ),
            ("it should be a bright day", "let the sun rise"),
        ),
        "night": (
            (
                "make it night",
                "let it be night",
                "turn day into night",
                "change it to night",
                "set it at night",
                "at night",
                "i want a dark night",
                "make it a dark night",
                "let the night come",
                "the night should fall",
                "show it at night",
            ),
            ("it should be a dark night", "let the night fall"),
        ),
    },
    "weather": {
        "clear": (
            (
                "make the weather clear",
                "clear the sky",
                "let the weather be fine",
                "stop the {v}",
                "remove the {v}",
                "clear up the weather",
                "i want no more {v}",
                "there should be no {v}",
                "the weather should be fine",
            ),
            ("no more {v}", "the weather should clear up"),
        ),
        "rain": (
            (
                "let it rain",
                "make it rain",
                "add rain",
                "it should be raining",
                "change the weather to rain",
                "put it in the rain",
                "let rain fall",
                "make it rainy weather",
                "i want rain",
                "there should be rain",
            ),
            ("rain should fall", "i want rainy weather"),
        ),
        "snow": (
            (
                "let it snow",
                "make it snow",
                "add snow",
                "it should be snowing",
                "change the weather to snow",
                "add falling snow",
                "let snow fall",
                "make it snowy weather",
                "i want snow",
                "there should be snow",
            ),
            ("the snow should fall", "i want snowy weather"),
        ),
        "fog": (
            (
                "make it foggy",
                "add fog",
                "let there be fog",
                "change the weather to fog",
                "cover it in mist",
                "put it in the fog",
                "let fog come up",
                "make it misty weather",
                "i want it misty",
                "i want fog",
                "there should be mist",
            ),
            ("fog should come up", "i want misty weather"),
        ),
    },
    "style": {
        "plain": (
            (
                "make the style plain",
                "use flat colours and simple shapes",
                "remove the {v}",
                "draw it in the plain style",
                "there should be no {v}",
                "i want no more {v}",
                "i want the plain style back",
                "stop the {v}",
            ),
            ("no more {v}", "give it back its plain style"),
        ),
        "outlined": (
            (
                "add bold outlines",
                "draw it with outlines",
                "make it line art",
                "give everything dark outlines",
                "use the outlined style",
                "outline all things",
                "draw everything with outlines",
                "i want outlines",
                "draw it in line-art style",
            ),
            ("outline everything", "i want it in line-art style"),
        ),
        "soft": (
            (
                "make it soft",
                "give it a soft style",
                "make the edges soft and blurry",
                "use soft focus",
                "draw it in a soft style",
                "soften all things",
                "make everything softer",
                "i want a soft style",
                "show it in soft focus",
            ),
            ("soften everything", "i want it in soft focus"),
        ),
    },
    "camera": {
        "still": (
            (
                "keep the camera still",
                "make it a static shot",
                "stop the camera",
                "the camera should not move",
                "hold the camera still",
                "the camera should have no motion",
                "make the camera steady",
            ),
            ("hold the camera steady", "no camera motion"),
        ),
        "pan left": (
            (
                "pan left",
                "let the camera pan left",
                "pan the camera to the left",
                "make the camera move left",
                "swing the camera left",
                "the camera should move to the left",
                "i want a pan to the left",
            ),
            ("swing the camera to the left", "the camera should pan left"),
        ),
        "pan right": (
            (
                "pan right",
                "let the camera pan right",
                "pan the camera to the right",
                "make the camera move right",
                "swing the camera right",
                "the camera should move to the right",
                "i want a pan to the right",
            ),
            ("swing the camera to the right", "the camera should pan right"),
        ),
        "zoom in": (
            (
                "zoom in",
                "let the camera zoom in",
                "make the camera move closer",
                "zoom in slowly",
                "bring us closer",
                "the camera should come closer",
                "i want a zoom in",
            ),
            ("bring the camera closer", "the camera should zoom in"),
        ),
        "zoom out": (
            (
                "zoom out",
                "let the camera zoom out",
                "make the camera move away",
                "zoom out slowly",
                "take us further away",
                "the camera should go further away",
                "i want a zoom out",
            ),
            ("take the camera further away", "the camera should zoom out"),
        ),
    },
}
# fmt: on
GOES = {
    "rain": "rain", "snow": "snow", "fog": "fog", "outlined": "outlines", "soft": "blur", "clear": "weather",
    "plain": "style",
}  # fmt: skip
