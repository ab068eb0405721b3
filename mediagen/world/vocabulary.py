"""Vocabulary: the words and sentence forms that `words` composes captions from, as plain tables."""

# The first word of each entry is the plain one; a plain word is drawn more often than its synonyms (`words.one_word`).
KIND_WORDS: dict[str, tuple[str, ...]] = {
    "ball": ("ball", "sphere", "round ball"),
    "cube": ("cube", "box", "block"),
    "star": ("star", "five-pointed star", "star shape"),
    "ring": ("ring", "hoop", "circle ring"),
    "triangle": ("triangle", "three-cornered shape", "triangular shape"),
    "car": ("car", "toy car", "automobile"),
    "boat": ("boat", "ship", "sailing boat"),
    "bird": ("bird", "songbird", "feathered bird"),
    "fish": ("fish", "fish shape", "fish with a tail"),
    "rocket": ("rocket", "spaceship", "space rocket"),
}
COLOUR_WORDS: dict[str, tuple[str, ...]] = {
    "red": ("red", "scarlet", "bright red"),
    "orange": ("orange", "bright orange"),
    "yellow": ("yellow", "bright yellow"),
    "green": ("green", "bright green"),
    "turquoise": ("turquoise", "teal", "cyan"),
    "blue": ("blue", "deep blue"),
    "purple": ("purple", "violet"),
    "pink": ("pink", "rosy pink"),
    "white": ("white", "pure white"),
    "black": ("black", "jet black"),
}
# A place as a bare noun phrase, and the words that go before it.
PLACE_WORDS: dict[str, tuple[str, ...]] = {
    "meadow": (
        "in a| meadow",
        "in a| green meadow",
        "in a| field",
        "in a| grassy field",
        "on| grassland",
        "on the| grass",
    ),
    "room": (
        "in a| room",
        "in a| wooden floor room",
        "in a| room with a wooden floor",
        "in a| living room",
        "in a| house",
    ),
    "desert": ("in a| desert", "in the| desert", "in a| sandy desert", "among| sand dunes", "in a| hot desert"),
    "snowy mountains": (
        "in| snowy mountains",
        "in the| mountains",
        "in front of| snow-covered mountains",
        "among| snowy peaks",
    ),
    "seaside": ("at the| seaside", "on a| beach", "by the| sea", "at the| shore", "on a| sandy beach", "by the| ocean"),
    "night city": (
        "in a| night city",
        "in a| city at night",
        "in a| city",
        "in a| neon city",
        "in a| dark city street",
    ),
    "forest": ("in a| forest", "in the| woods", "in a| green forest", "among| trees", "in a| pine forest"),
    "outer space": ("in| outer space", "in| space", "in the| cosmos", "in| deep space", "in the| universe"),
}
SIZE_WORDS = {
    "small": ("small", "little", "tiny"),
    "medium": ("medium-sized", "mid-sized"),
    "large": ("large", "big", "huge"),
}
# A motion in two forms: "it bounces" | "bouncing". {d} is the side that the thing faces: left or right.
MOTION_WORDS: dict[str, tuple[str, ...]] = {
    "bounces": ("bounces|bouncing", "hops|hopping", "jumps up and down|jumping up and down", "is bouncing|bouncing"),
    "rolls left": (
        "rolls left|rolling left",
        "rolls to the left|rolling to the left",
        "is rolling left|rolling leftwards",
    ),
    "rolls right": (
        "rolls right|rolling right",
        "rolls to the right|rolling to the right",
        "is rolling right|rolling rightwards",
    ),
    "falls": (
        "falls|falling",
        "drops to the ground|dropping to the ground",
        "falls down|falling down",
        "tumbles down|dropping",
    ),
    "floats up": ("floats up|floating up", "rises|rising", "drifts upwards|drifting upwards", "lifts off|lifting off"),
    "spins": ("spins|spinning", "rotates|rotating", "turns around itself|turning around itself", "whirls|whirling"),
    "orbits": (
        "orbits|orbiting",
        "flies in circles|flying in circles",
        "circles around|circling around",
        "goes in a circle|circling",
    ),
    "crosses": ("crosses from {o} to {d}|crossing from {o} to {d}", "moves {d}|moving {d}", "passes by|passing by"),
    "rests": ("rests|resting", "lies still|lying still", "stands still|standing still", "does not move|not moving"),
}
CROSSING_WORDS: dict[str, tuple[str, ...]] = {
    "car": ("drives {d}|driving {d}", "drives past|driving past", "drives to the {d}|driving to the {d}"),
    "boat": ("sails {d}|sailing {d}", "sails by|sailing by", "sails to the {d}|sailing to the {d}"),
    "bird": ("flies {d}|flying {d}", "flies past|flying past", "flies to the {d}|flying to the {d}"),
    "fish": ("swims {d}|swimming {d}", "swims past|swimming past", "swims to the {d}|swimming to the {d}"),
    "rocket": ("flies {d}|flying {d}", "flies past|flying past", "shoots to the {d}|shooting to the {d}"),
}
WEATHER_WORDS = {
    "clear": ("under a clear sky", "clear weather"),
    "rain": ("in the rain", "while it rains", "rain", "rainy weather", "rain is falling"),
    "snow": ("in falling snow", "while it snows", "snow", "snowfall", "snowflakes everywhere"),
    "fog": ("in the fog", "in thick fog", "fog", "foggy weather", "in the mist"),
}
TIME_WORDS = {
    "day": ("by day", "in daylight", "daytime", "during the day"),
    "night": ("at night", "night", "at night", "in the dark of night", "late at night"),
}
SUNNY_WORDS = ("sunny", "on a sunny day", "in the sunshine", "bright sunny day")
STYLE_WORDS = {
    "plain": ("flat colours", "simple shapes"),
    "outlined": ("with bold outlines", "outlined style", "drawn with outlines", "line-art style"),
    "soft": ("in a soft style", "soft style", "with soft blurry edges", "soft focus"),
}
CAMERA_WORDS: dict[str, tuple[str, ...]] = {
    "still": ("Still camera", "Static shot", "The camera does not move"),
    "pan left": ("Pan left", "The camera pans left", "Camera panning to the left", "The camera moves left"),
    "pan right": ("Pan right", "The camera pans right", "Camera panning to the right", "The camera moves right"),
    "zoom in": ("Zoom in", "The camera zooms in", "Zooming in", "The camera moves closer"),
    "zoom out": ("Zoom out", "The camera zooms out", "Zooming out", "The camera moves away"),
}
# {a} a red ball, {n} red ball, {v} bounces, {g} bouncing, {p} in a meadow, {b} meadow.
CLAUSES = (
    *("{a} {v} {p}",) * 8,  # the plainest sentence, the likeliest prompt
    *("{a} {g} {p}",) * 3,
    *("{n}, {b}, {g}",) * 2,
    "{n} {g} {p}",
    "{p}, {a} {v}",
    "{p} {a} is seen {g}",
    "{p} there is {a} {g}",
    "{p} we see {a} {g}",
    "{p}: {a}, {g}",
    "{b}: {a} {v}",
    "{b}, {n}, {g}",
    "{b} with {a} {g}",
    "{b} and {a} that {v}",
    "{a} {p} {v}",
    "{a} {p}, {g}",
    "{a} that {v} {p}",
    "{a} which {v}, {p}",
    "{a} is there, {g} {p}",
    "{a}. it {v} {p}",
    "{a} {v}. it is {p}",
    "{a} {v}, and all of it happens {p}",
    "there is {a} {p} and it {v}",
    "there is {a} {g} {p}",
    "we see {a} {g} {p}",
    "one can see how {a} {v} {p}",
    "look, {a} {v} {p}",
    "somewhere {p} {a} {v}",
    "{g} {p}: {a}",
    "{n} {g}, {b}",
    "{n} {b} {g}",
    "{g} {n}, {b}",
    "{g} {n} {p}",
)
STILL_CLAUSES = ("{a} {p}", "{n}, {b}", "{p}, {a}", "{b} with {a}", "there is {a} {p}", "{n} {p}")
PAIR_CLAUSES = (
    *("{a} {v} and {a2} {v2} {p}",) * 3,
    *("{a} {g} and {a2} {g2} {p}",) * 2,
    "{p}, {a} {v} while {a2} {v2}",
    "{p} there are {a} {g} and {a2} {g2}",
    "{a} {v} {p} next to {a2} that {v2}",
    "{a} {g} {p}, and {a2} {g2}",
    "{n}, {g}, {n2}, {g2}, {b}",
    "{b}: {n} {g}, {n2} {g2}",
    "two things {p}: {a} that {v}, {a2} that {v2}",
    "we see {a} {g} and {a2} {g2} {p}",
)
FRAMES = (
    "a video of {}",
    "close-up of {}",
    "cartoon of {}",
    "an animation of {}",
    "a clip of {}",
    "a short film of {}",
    "footage of {}",
    "a scene with {}",
    "animated video: {}",
    "show me {}",
    "i want to see {}",
    "please make {}",
)
EXTRAS = (
    "high quality",
    "nice colours",
    "very beautiful",
    "colourful",
    "short clip",
    "smooth motion",
    "a lovely view",
)

# What things, places and weather sound like: (material, the thing as a source of sound).
MATERIAL_WORDS: dict[str, tuple[str, ...]] = {
    "ball": ("rubber", "a rubber ball"),
    "cube": ("wooden", "a wooden block"),
    "star": ("glass", "glass"),
    "ring": ("metal", "a metal ring"),
    "triangle": ("metal", "a metal triangle"),
    "car": ("tin", "a toy car"),
    "boat": ("wooden", "a wooden boat"),
    "bird": ("soft", "a bird"),
    "fish": ("wet", "a fish"),
    "rocket": ("metal", "a rocket"),
}
AMBIENCE_WORDS: dict[str, tuple[str, ...]] = {
    "meadow": ("birdsong", "birds chirping in a meadow", "a gentle breeze with birds"),
    "room": ("a quiet room", "room tone", "the quiet hum of a room"),
    "desert": ("desert wind", "dry wind", "wind blowing over sand"),
    "snowy mountains": ("cold mountain wind", "howling wind", "wind in the mountains"),
    "seaside": ("sea waves", "waves on a beach", "the sea"),
    "night city": ("city hum", "distant traffic", "a city at night"),
    "forest": ("rustling leaves", "a forest with birds", "wind in the trees"),
    "outer space": ("a deep drone", "a low space hum", "deep space drone"),
}
NOISE_WORDS: dict[str, tuple[str, ...]] = {
    "bounces": ("{m} thuds", "{w} bouncing", "bounces of {w}", "{m} bouncing sounds"),
    "falls": ("a {m} thud", "{w} falling to the ground", "{w} dropping"),
    "rolls left": ("{m} rolling", "{w} rolling", "a rolling rumble"),
    "rolls right": ("{m} rolling", "{w} rolling", "a rolling rumble"),
    "floats up": ("a soft rising whoosh", "{w} floating up", "a gentle rising tone"),
    "spins": ("a spinning whirr", "{w} whirling", "whirring"),
    "orbits": ("a circling whoosh", "{w} circling", "swooshes"),
    "rests": (),
}
CROSSING_NOISE_WORDS: dict[str, tuple[str, ...]] = {
    "car": ("a car engine", "an engine passing by", "a car driving past"),
    "boat": ("water splashing on a boat", "a boat in the water", "lapping water"),
    "bird": ("wings flapping", "a chirping bird", "flapping wings"),
    "fish": ("bubbles", "bubbling water", "a fish swimming"),
    "rocket": ("a roaring rocket engine", "rocket roar", "a rocket flying past"),
}
WEATHER_NOISE_WORDS = {
    "rain": ("rain", "falling rain", "the patter of rain"),
    "snow": ("a muffled winter wind", "soft snowy wind", "quiet snowfall"),
    "fog": ("a muffled hush", "misty quiet"),
}
MOOD_WORDS: dict[str, tuple[str, ...]] = {
    "happy": ("happy", "cheerful", "playful"),
    "calm": ("calm", "peaceful", "gentle"),
    "tense": ("tense", "dark", "suspenseful"),
}
