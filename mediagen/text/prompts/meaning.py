"""Meaning: what a prompt says, in terms of the world; None is what it leaves open."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from mediagen.world import people
from mediagen.world import scene as sc
from mediagen.world.people import Person
from mediagen.world.scene import Scene

_PLAIN = {"weather": "clear", "camera": "still", "style": "plain"}  # what a caption need not say
_NONE = {"beard": "none", "glasses": "none", "hat": "none", "moustache": False}


@dataclass(frozen=True)
class Thing:
    """A thing that a prompt tells of. facing: 1 right, -1 left."""

    kind: str | None = None
    colour: str | None = None
    size: str | None = None
    motion: str | None = None
    facing: int | None = None


@dataclass(frozen=True)
class Somebody:
    """A person that a prompt tells of; the fields as in `people.Identity` and `people.Person`."""

    woman: bool | None = None
    age: str | None = None
    hair_style: str | None = None
    hair_colour: str | None = None
    beard: str | None = None
    moustache: bool | None = None
    glasses: str | None = None
    hat: str | None = None
    hat_colour: str | None = None
    top: str | None = None
    colour: str | None = None  # of the top
    shot: str | None = None
    motion: str | None = None

    @property
    def canonical(self) -> Self:
        """See `Meaning.canonical`."""
        filled: dict[str, Any] = {k: v for k, v in _NONE.items() if getattr(self, k) is None}
        if self.glasses == "square":
            filled["glasses"] = "round"
        if self.hair_style == "bald":
            filled["hair_colour"] = None
        if self.motion is not None:
            filled["shot"] = "portrait" if self.motion in people.HEAD_MOTIONS else "figure"
        return replace(self, **filled)


@dataclass(frozen=True)
class Meaning:
    """What a prompt says. mood: of music; "" for any."""

    place: str | None = None
    things: tuple[Thing, ...] = ()
    person: Somebody | None = None
    weather: str | None = None
    time: str | None = None
    camera: str | None = None
    style: str | None = None
    mood: str | None = None

    def __bool__(self) -> bool:
        return self != Meaning(mood=self.mood)

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """From plain values, as `to_dict` gives them."""
        things = tuple(Thing(**thing) for thing in values.get("things", ()))
        person = values.get("person")
        return cls(**{**values, "things": things, "person": None if person is None else Somebody(**person)})

    def to_dict(self) -> dict[str, Any]:
        """Plain values of what is said."""
        values = {name: value for name, value in asdict(self).items() if value not in (None, ())}
        if self.things:
            values["things"] = [{k: v for k, v in asdict(thing).items() if v is not None} for thing in self.things]
        if self.person:
            values["person"] = {k: v for k, v in asdict(self.person).items() if v is not None}
        return values

    @property
    def canonical(self) -> Self:
        """The same with all filled in that goes without saying, so that equal meanings are equal.

        What is plain: clear weather, a still camera, plain style, day but where it is always night, bare heads, round
        glasses where it is not said which; the shot is what shows the motion. Music shows nothing.
        """
        always_night = self.place in ("night city", "outer space")
        plain = {name: getattr(self, name) or value for name, value in _PLAIN.items()}
        person = self.person and self.person.canonical
        return replace(self, person=person, mood=None, time=self.time or ("night" if always_night else "day"), **plain)


def meaning_of(scene: Scene, said: frozenset[str]) -> Meaning:
    """What a caption of `scene` means that says the names in `said`; see `words.tell`."""
    subjects = [*([scene.person] if scene.person else []), *scene.things]
    things, person = [], None
    for index, subject in enumerate(subjects):
        if isinstance(subject, Person):
            person = _person_of(subject, said)
            continue
        told = {
            name: getattr(subject, name) for name in ("kind", "colour", "size", "motion") if f"{name}{index}" in said
        }
        facing = subject.facing if subject.motion == "crosses" and f"facing{index}" in said else None
        things.append(Thing(**told, facing=facing))
    around = {name: getattr(scene, name) for name in ("place", "weather", "time", "camera", "style") if name in said}
    return Meaning(things=tuple(things), person=person, **around)


def _person_of(person: Person, said: frozenset[str]) -> Somebody:
    who, told = person.identity, Somebody(woman=person.identity.woman, age=person.identity.age)
    if "looks" in said:
        looks = ("hair_style", "hair_colour", "beard", "moustache", "glasses")
        told = replace(told, hat=person.hat, **{name: getattr(who, name) for name in looks})
        if person.hat != "none":
            told = replace(told, hat_colour=person.hat_colour)
    if "colour0" in said:
        told = replace(told, top=person.top, colour=person.colour)
    return replace(told, motion=person.motion if "motion0" in said else None)


@dataclass(frozen=True)
class Known:
    """What models know that learned the world at one difficulty: the values of each field, by its name."""

    kinds: tuple[str, ...]
    sizes: tuple[str, ...]
    motions: tuple[str, ...]
    weathers: tuple[str, ...]
    cameras: tuple[str, ...]
    styles: tuple[str, ...]
    people: bool


def known_to(difficulty: str) -> Known:
    """What a model knows that learned scenes of `difficulty`; see `draw_scene`. ValueError for no difficulty."""
    if difficulty not in sc.DIFFICULTIES:
        raise ValueError(f"got the difficulty '{difficulty}', expected one of {', '.join(sc.DIFFICULTIES)}; give one.")
    if difficulty == "simple":
        motions = tuple(m for m in sc.MOTIONS if any(m in sc.SUITS[kind] for kind in sc.SIMPLE_KINDS))
        return Known(sc.SIMPLE_KINDS, sc.SIZES[1:], motions, ("clear",), ("still",), ("plain",), False)
    return Known(sc.KINDS, sc.SIZES, sc.MOTIONS, sc.WEATHERS, sc.CAMERAS, sc.STYLES, True)
