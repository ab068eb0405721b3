"""Words: what a person could have written to get a scene, in many phrasings, and what it sounds like."""

import numpy as np

from mediagen.world.people import Person
from mediagen.world.people_words import (
    BEARD_WORDS,
    EARRING_WORDS,
    FIGURE_FRAMES,
    FRECKLE_WORDS,
    GLASSES_WORDS,
    HAIR_COLOUR_WORDS,
    HAIR_WORDS,
    HAT_WORDS,
    MOUSTACHE_WORDS,
    PERSON_MOTION_WORDS,
    PERSON_NOISE_WORDS,
    PERSON_WORDS,
    PORTRAIT_FRAMES,
    TOP_WORDS,
)
from mediagen.world.scene import Scene, Thing
from mediagen.world.vocabulary import (
    AMBIENCE_WORDS,
    CAMERA_WORDS,
    CLAUSES,
    COLOUR_WORDS,
    CROSSING_NOISE_WORDS,
    CROSSING_WORDS,
    EXTRAS,
    FRAMES,
    KIND_WORDS,
    MATERIAL_WORDS,
    MOOD_WORDS,
    MOTION_WORDS,
    NOISE_WORDS,
    PAIR_CLAUSES,
    PLACE_WORDS,
    SIZE_WORDS,
    STILL_CLAUSES,
    STYLE_WORDS,
    SUNNY_WORDS,
    TIME_WORDS,
    WEATHER_NOISE_WORDS,
    WEATHER_WORDS,
)


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """One of very many phrasings of what `scene` shows, short or long, as people write prompts.

    Always names the colour and kind of every thing and the place; the motion in 95 of 100; camera motion (first),
    weather and style when there are any; the size and the daylight sometimes.
    """
    return tell(scene, rng)[0]


def tell(scene: Scene, rng: np.random.Generator) -> tuple[str, frozenset[str]]:
    """`caption`, and the names of what it says, since a reader can't know the rest.

    Names: "place", "camera", "weather", "time", "style", and for thing number 0 and 1 "kind0", "colour0", "size0",
    "motion0" and "facing0". A person comes first, and so is number 0; of a person's looks either all are told that can
    be seen ("looks": woman, age, hair, glasses, beard, hat) or none, and the clothes ("colour0") in most captions.
    """
    said = {"place"}
    before, bare = _word(rng, PLACE_WORDS[scene.place]).split("|")
    words = {"p": before + bare, "b": bare.strip()}
    moving = len(scene.shown) > 1 or rng.random() < 0.95
    for index, subject in enumerate(scene.shown):
        if isinstance(subject, Person):
            words |= _person_words(subject, index, rng, said, moving)
        else:
            words |= _thing_words(subject, index, rng, said, moving)
    clauses = CLAUSES if moving else STILL_CLAUSES
    text = str(rng.choice(PAIR_CLAUSES if len(scene.shown) > 1 else clauses)).format(**words)
    if text.startswith(("a ", "an ")):
        text = _framed(text, scene.person, rng)
    extras = _extras(scene, rng, said)
    for extra in extras:
        text = f"{text} {extra}" if extra.startswith(("in ", "at ", "on ", "with ", "while ")) else f"{text}, {extra}"
    if scene.camera != "still" or rng.random() < 0.05:
        said.add("camera")
        camera, joint = _word(rng, CAMERA_WORDS[scene.camera]), str(rng.choice((": ", ". ", ", ")))
        if scene.camera.startswith("zoom") and text.startswith(("a ", "an ")) and rng.random() < 0.4:
            camera, joint = f"The camera {scene.camera.replace('zoom', 'zooms')} on", " "
        text = camera + joint + text
    return _dress(text, rng), frozenset(said)


def _thing_words(thing: Thing, index: int, rng: np.random.Generator, said: set[str], moving: bool) -> dict[str, str]:
    key = "" if index == 0 else str(index + 1)
    said |= {f"kind{index}", f"colour{index}"}
    noun = f"{_word(rng, COLOUR_WORDS[thing.colour])} {_word(rng, KIND_WORDS[thing.kind])}"
    if rng.random() < (0.12 if thing.size == "medium" else 0.6):
        said.add(f"size{index}")
        noun = f"{_word(rng, SIZE_WORDS[thing.size])} {noun}"
    table = MOTION_WORDS[thing.motion]
    if thing.motion == "crosses" and rng.random() < 0.85:
        table = CROSSING_WORDS.get(thing.kind, table)
    motion = _word(rng, table)
    if moving:
        said.add(f"motion{index}")
        if "{d}" in motion:  # a rolling thing may look the other way
            said.add(f"facing{index}")
    verb, gerund = _sided(motion, thing).split("|")
    return {f"a{key}": _article(noun), f"n{key}": noun, f"v{key}": verb, f"g{key}": gerund}


def _person_words(person: Person, index: int, rng: np.random.Generator, said: set[str], moving: bool) -> dict[str, str]:
    who, key = person.identity, "" if index == 0 else str(index + 1)
    said |= {f"kind{index}"}
    noun = str(_word(rng, PERSON_WORDS[who.woman, who.age]))
    if rng.random() < 0.85:
        said |= {"looks"}
        noun = _joined(noun, " with ", _looks(person, rng), rng)
    if rng.random() < (0.75 if person.shot == "figure" else 0.5):
        said |= {f"colour{index}"}
        top = _word(rng, TOP_WORDS[person.top]).format(c=_word(rng, COLOUR_WORDS[person.colour]))
        noun = f"{noun} {rng.choice(('in', 'in', 'wearing', 'dressed in'))} {_with_article(top)}"
    if moving:
        said.add(f"motion{index}")
    his = "their" if who.age == "child" and rng.random() < 0.3 else "her" if who.woman else "his"
    verb, gerund = _word(rng, PERSON_MOTION_WORDS[person.motion]).replace("{h}", his).split("|")
    return {f"a{key}": _article(noun), f"n{key}": noun, f"v{key}": verb, f"g{key}": gerund}


def _looks(person: Person, rng: np.random.Generator) -> list[str]:
    """Everything that can be seen of a person's head, in words."""
    who = person.identity
    colour = _word(rng, HAIR_COLOUR_WORDS[who.hair_colour])
    looks = [_with_article(_word(rng, HAIR_WORDS[who.hair_style]).format(c=colour))]
    if who.beard != "none":
        looks.append(_word(rng, BEARD_WORDS[who.beard]))
    if who.moustache:
        looks.append(_word(rng, MOUSTACHE_WORDS))
    if who.glasses != "none":
        looks.append(_word(rng, GLASSES_WORDS[who.glasses]))
    if person.hat != "none":
        looks.append(
            _with_article(_word(rng, HAT_WORDS[person.hat]).format(c=_word(rng, COLOUR_WORDS[person.hat_colour])))
        )
    if who.freckles and rng.random() < 0.7:
        looks.append(_word(rng, FRECKLE_WORDS))
    if who.earrings and rng.random() < 0.5:
        looks.append(_word(rng, EARRING_WORDS))
    return looks


def _joined(noun: str, joint: str, parts: list[str], rng: np.random.Generator) -> str:
    """A noun with its parts in some order: "a, b and c"."""
    parts = [parts[i] for i in rng.permutation(len(parts))] if rng.random() < 0.4 else parts
    listed = ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else parts[0]
    return noun + joint + listed


def _framed(text: str, person: Person | None, rng: np.random.Generator) -> str:
    """Some captions say that they are of a video, or how near a person is seen."""
    if person is None:
        return str(rng.choice(FRAMES)).format(text) if rng.random() < 0.15 else text
    frames, often = (PORTRAIT_FRAMES, 0.35) if person.shot == "portrait" else (FIGURE_FRAMES, 0.15)
    return str(rng.choice(frames)).format(text) if rng.random() < often else text


def _extras(scene: Scene, rng: np.random.Generator, said: set[str]) -> list[str]:
    """Weather, time, style and harmless words, in a random order."""
    extras = []
    outdoors = scene.place not in ("room", "outer space", "night city")
    implied = scene.place in ("night city", "outer space")
    if scene.weather != "clear" or (outdoors and rng.random() < 0.06):
        said.add("weather")
        extras.append(_word(rng, WEATHER_WORDS[scene.weather]))
    if rng.random() < (0.15 if implied else 0.92 if scene.time == "night" else 0.3):
        said.add("time")
        sunny = scene.time == "day" and scene.weather == "clear" and outdoors and rng.random() < 0.6
        extras.append(_word(rng, SUNNY_WORDS if sunny else TIME_WORDS[scene.time]))
    if scene.style != "plain" or rng.random() < 0.03:
        said.add("style")
        extras.append(_word(rng, STYLE_WORDS[scene.style]))
    if rng.random() < 0.08:
        extras.append(str(rng.choice(EXTRAS)))
    order = rng.permutation(len(extras))
    return [extras[i] for i in order]


def _dress(text: str, rng: np.random.Generator) -> str:
    """Case and full stop as people type them: a sentence, all lower case, seldom shouted."""
    roll = rng.random()
    text = text.lower() if roll < 0.45 else text.upper() if roll < 0.48 else text[0].upper() + text[1:]
    return text + ("." if rng.random() < 0.4 else "")


def _word(rng: np.random.Generator, choices: tuple[str, ...]) -> str:
    """The plain word (the first) in every second draw, at least, otherwise any."""
    return choices[0] if rng.random() < 0.5 else choices[int(rng.integers(len(choices)))]


def _sided(motion: str, thing: Thing) -> str:
    side, other = ("right", "left") if thing.facing > 0 else ("left", "right")
    return motion.replace("{d}", side).replace("{o}", other)


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _with_article(phrase: str) -> str:
    """ "a orange cap" as "an orange cap"; a phrase without an article stays."""
    return _article(phrase[2:]) if phrase.startswith("a ") else phrase


def sound_caption(scene: Scene, rng: np.random.Generator) -> str:
    """One of many phrasings of what `scene` sounds like, without its music: motions and impacts, place, weather."""
    parts = []
    if scene.person and (table := PERSON_NOISE_WORDS.get(scene.person.motion)):
        parts.append(_word(rng, table))
    for thing in scene.things:
        table = CROSSING_NOISE_WORDS[thing.kind] if thing.motion == "crosses" else NOISE_WORDS[thing.motion]
        if table:
            material, what = MATERIAL_WORDS[thing.kind]
            parts.append(_word(rng, table).format(m=material, w=what))
    parts.append(_word(rng, AMBIENCE_WORDS[scene.place]))
    if scene.weather != "clear":
        parts.append(_word(rng, WEATHER_NOISE_WORDS[scene.weather]))
    if rng.random() < 0.3:
        parts = [parts[i] for i in rng.permutation(len(parts))]
    joint = str(rng.choice((", ", " and ", " with ")))
    text = ", ".join(parts[:-1]) + joint + parts[-1] if len(parts) > 1 else parts[0]
    if rng.random() < 0.15:
        text = "the sound of " + text
    return _dress(text, rng)


def music_caption(scene: Scene, rng: np.random.Generator) -> str:
    """One of some phrasings of the scene's music bed; "" where there is none."""
    if scene.mood is None:
        return ""
    mood = _word(rng, MOOD_WORDS[scene.mood])
    phrasings = (
        "{} music",
        "{} background music",
        "music, {}",
        "a {} tune",
        "soft {} music",
        "{} melody in the background",
    )
    return _dress(_word(rng, phrasings).format(mood), rng)
