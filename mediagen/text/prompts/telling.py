"""Telling: a meaning as the caption that the models were taught, in their order and plain words: camera first."""

from collections.abc import Sequence

from mediagen.text.prompts.meaning import Meaning, Somebody, Thing
from mediagen.world import people_words as pw
from mediagen.world import vocabulary as vo


def caption(meaning: Meaning) -> str:
    """The plainest caption of the world that says `meaning`, and no more; "" for an empty one."""
    parts = [_person(meaning.person)] if meaning.person else []
    parts += [_thing(thing) for thing in meaning.things]
    place = vo.PLACE_WORDS[meaning.place][0].replace("|", "") if meaning.place else ""
    text = " and ".join(f"{noun} {verb}".strip() for noun, verb in parts)
    shot = meaning.person.shot if meaning.person else None
    if shot is not None and parts:
        frames = pw.PORTRAIT_FRAMES if shot == "portrait" else pw.FIGURE_FRAMES
        text = frames[0].format(text)
    text = f"{text} {place}".strip() if parts else place.removeprefix("in ").removeprefix("at ")
    for extra in _extras(meaning):
        joint = " " if extra.startswith(("in ", "at ", "on ", "with ", "by ", "under ")) else ", "
        text = f"{text}{joint}{extra}" if text else extra
    if meaning.camera:
        text = f"{vo.CAMERA_WORDS[meaning.camera][0]}: {text}" if text else vo.CAMERA_WORDS[meaning.camera][0]
    return text


def _extras(meaning: Meaning) -> list[str]:
    extras = []
    if meaning.weather == "clear" and meaning.time == "day":
        extras.append(vo.SUNNY_WORDS[0])
    else:
        extras += [vo.WEATHER_WORDS[meaning.weather][0]] if meaning.weather else []
        extras += [vo.TIME_WORDS[meaning.time][0]] if meaning.time else []
    if meaning.style:
        extras.append(vo.STYLE_WORDS[meaning.style][0])
    if meaning.mood is not None:
        extras.append(f"{meaning.mood} music".strip())
    return extras


def _thing(thing: Thing) -> tuple[str, str]:
    words = [
        vo.SIZE_WORDS[thing.size][0] if thing.size else "",
        vo.COLOUR_WORDS[thing.colour][0] if thing.colour else "",
        vo.KIND_WORDS[thing.kind][0] if thing.kind else "",
    ]
    noun = " ".join(word for word in words if word)
    return (_article(noun) if thing.kind else noun or "it"), _motion(thing)


def _motion(thing: Thing) -> str:
    if thing.motion is None:
        return ""
    forms = vo.MOTION_WORDS[thing.motion]
    if thing.motion == "crosses":
        forms = vo.CROSSING_WORDS.get(thing.kind or "", forms[1:])
        forms = tuple(form for form in forms if ("{d}" in form) == (thing.facing is not None))
    return forms[0].split("|")[0].replace("{d}", "left" if thing.facing == -1 else "right")


def _person(person: Somebody) -> tuple[str, str]:
    woman = person.woman if person.woman is not None else True  # the world has no word for either
    noun = pw.PERSON_WORDS[woman, person.age or "adult"][0]
    looks = _looks(person)
    if looks:
        noun += " with " + _listed(looks)
    if person.top or person.colour:
        noun += " in " + _tinted(pw.TOP_WORDS[person.top or "plain"], person.colour)
    verb = ""
    if person.motion:
        verb = pw.PERSON_MOTION_WORDS[person.motion][0].split("|")[0].replace("{h}", "her" if woman else "his")
    return _article(noun), verb


def _looks(person: Somebody) -> list[str]:
    looks = []
    if person.hair_style or person.hair_colour:
        forms = pw.HAIR_WORDS[person.hair_style] if person.hair_style else ("{c} hair",)
        looks.append(_tinted(forms, person.hair_colour))
    if person.beard in pw.BEARD_WORDS:
        looks.append(pw.BEARD_WORDS[person.beard][0])
    if person.moustache:
        looks.append(pw.MOUSTACHE_WORDS[0])
    if person.glasses in pw.GLASSES_WORDS:
        looks.append(pw.GLASSES_WORDS[person.glasses][0])
    if person.hat in pw.HAT_WORDS:
        looks.append(_tinted(pw.HAT_WORDS[person.hat], person.hat_colour))
    return looks


def _tinted(forms: Sequence[str], colour: str | None) -> str:
    """The plain form with its colour, or without one where none is said."""
    text = forms[0].replace("{c}", colour) if colour else " ".join(forms[0].replace("{c}", "").split())
    return _article(text[2:]) if text.startswith("a ") else text


def _listed(parts: list[str]) -> str:
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else parts[0]


def _article(noun: str) -> str:
    return f"{'an' if noun[:1] in tuple('aeiou') else 'a'} {noun}"
