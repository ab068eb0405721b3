"""The words that instructions are composed from, as plain tables; the last ones of each table are held out of training.

{o} the thing as it is, {n} what comes, {c} a colour, {s} a side, {r} how large, {b} a bare place, {p} a place with its
preposition, {w} who or what is there, {h} him or her, {i} his or her, {x} he or she, {g} glasses, a hat, a beard.
"""

# For each task: what is trained with, and what is kept for tests.
Phrasings = tuple[tuple[str, ...], tuple[str, ...]]
INSTRUCTIONS: dict[str, Phrasings] = {
    "recolour": (
        (
            *("make {o} {c}",) * 3,
            "turn {o} {c}",
            "paint {o} {c}",
            "change {o} to {c}",
            "colour {o} {c}",
            "{o} should be {c}",
            "change the colour of {o} to {c}",
            "recolour {o} in {c}",
            "let {o} be {c}",
            "dye {o} {c}",
        ),
        ("give {o} a {c} colour", "i want {o} in {c}", "{o} must become {c}"),
    ),
    "replace": (
        (
            *("replace {o} with {n}",) * 2,
            "replace {o} by {n}",
            "turn {o} into {n}",
            "swap {o} for {n}",
            "change {o} into {n}",
            "make {o} {n}",
            "put {n} in place of {o}",
            "instead of {o} show {n}",
            "transform {o} into {n}",
        ),
        ("exchange {o} for {n}", "let {o} become {n}", "where {o} is there should be {n}"),
    ),
    "add": (
        (
            *("add {n} {s}",) * 3,
            "put {n} {s}",
            "place {n} {s}",
            "let {n} appear {s}",
            "there should also be {n} {s}",
            "insert {n} {s}",
            "{s} add {n}",
            "add another thing {s}: {n}",
        ),
        ("include {n} {s}", "i also want {n} {s}", "draw {n} {s}"),
    ),
    "remove": (
        (
            *("remove {o}",) * 3,
            "take {o} away",
            "delete {o}",
            "erase {o}",
            "get rid of {o}",
            "make {o} disappear",
            "take {o} out of the picture",
            "remove {o} from the video",
        ),
        ("i do not want {o}", "cut out {o}", "let {o} vanish"),
    ),
    "resize": (
        (
            "make {o} {r}",
            "make {o} {r}",
            "{o} should be {r}",
            "let {o} be {r}",
            "turn {o} into a {r} one",
            "{o}, but {r}",
        ),
        ("i want {o} {r}", "{o} must become {r}", "change the size of {o}: {r}"),
    ),
    "place": (
        (
            *("put {w} {p}",) * 2,
            "change the background to {b}",
            "change the place to {b}",
            "let it happen {p}",
            "set the scene {p}",
            "make the background {b}",
            "replace the background with {b}",
            "show this {p}",
            "show {w} {p}",
        ),
        ("take {w} to {b}", "let {w} be {p}", "i want the background to be {b}"),
    ),
    "mark": (
        (
            *("mark {o} in {c}",) * 3,
            "highlight {o} in {c}",
            "segment {o} in {c}",
            "show with {c} where {o} is",
            "cover {o} with {c}",
            "mask {o} with {c}",
        ),
        ("fill the outline of {o} with {c}", "point out {o} in {c}"),
    ),
}
# What a whole picture becomes: said by what it becomes, or (of weather and style) by what goes.
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
            ),
            ("it should be a dark night", "let the night fall"),
        ),
    },
    "weather": {
        "clear": (
            ("make the weather clear", "clear the sky", "let the weather be fine", "stop the {v}", "remove the {v}"),
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
            ),
            ("soften everything", "i want it in soft focus"),
        ),
    },
    "camera": {
        "still": (
            ("keep the camera still", "make it a static shot", "stop the camera", "the camera should not move"),
            ("hold the camera steady", "no camera motion"),
        ),
        "pan left": (
            ("pan left", "let the camera pan left", "pan the camera to the left", "make the camera move left"),
            ("swing the camera to the left", "the camera should pan left"),
        ),
        "pan right": (
            ("pan right", "let the camera pan right", "pan the camera to the right", "make the camera move right"),
            ("swing the camera to the right", "the camera should pan right"),
        ),
        "zoom in": (
            ("zoom in", "let the camera zoom in", "make the camera move closer", "zoom in slowly"),
            ("bring the camera closer", "the camera should zoom in"),
        ),
        "zoom out": (
            ("zoom out", "let the camera zoom out", "make the camera move away", "zoom out slowly"),
            ("take the camera further away", "the camera should zoom out"),
        ),
    },
}
GOES = {
    "rain": "rain",
    "snow": "snow",
    "fog": "fog",
    "outlined": "outlines",
    "soft": "blur",
    "clear": "weather",
    "plain": "style",
}
LARGER = {
    2: ("much bigger", "far larger", "huge"),
    1: ("bigger", "larger"),
    -1: ("smaller",),
    -2: ("much smaller", "tiny"),
}
SIDES = {"left": ("on the left", "to the left"), "right": ("on the right", "to the right")}
POLITE = (*("{}",) * 6, "please {}", "{}, please", "can you {}?", "now {}")  # round what begins with a verb
# With which instructions begin that cannot be begged for.
WISHES = (
    "i",
    "it",
    "by",
    "at",
    "no",
    "the",
    "he",
    "she",
    "his",
    "her",
    "where",
    "instead",
    "on",
    "to",
    "there",
    "rain",
    "fog",
)
