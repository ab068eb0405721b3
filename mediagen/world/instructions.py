"""Instructions: what a person could write to ask for an edit, in many phrasings, some of which are kept for tests."""

import numpy as np

from mediagen.world import instruction_words as say
from mediagen.world import people_instruction_words as of_people
from mediagen.world import whole_instruction_words as of_whole
from mediagen.world.edits import Edit, subject
from mediagen.world.people import Person
from mediagen.world.people_words import BEARD_WORDS, GLASSES_WORDS, HAIR_COLOUR_WORDS, HAT_WORDS, PERSON_WORDS
from mediagen.world.scene import SIZES, Scene, Thing
from mediagen.world.vocabulary import COLOUR_WORDS, KIND_WORDS, MOTION_WORDS, PLACE_WORDS, SIZE_WORDS
from mediagen.world.words import one_word, sided, with_article


def instruct(edit: Edit, rng: np.random.Generator, held_out: bool = False) -> str:
    """One of many phrasings of `edit`, as people type them; held_out: one that training never reads.

    Things are named so that there is one of them: "the ball", by their colour where there are two of a kind.
    """
    if edit.task in of_whole.BECOMES:
        was, becomes = getattr(edit.before, edit.task), getattr(edit.after, edit.task)
        text = _pick(rng, of_whole.BECOMES[edit.task][becomes], held_out).format(v=of_whole.GOES.get(was, ""))
    elif edit.task == "person":
        text = _of_person(edit, rng, held_out)
    else:
        text = _pick(rng, say.INSTRUCTIONS[edit.task], held_out).format(**_words(edit, rng))
    return _dress(" ".join(text.split()), rng)


def _words(edit: Edit, rng: np.random.Generator) -> dict[str, str]:
    """What stands in place of the letters of a phrasing."""
    words = {"o": _the(edit, rng), "s": "", "w": _who(edit.before, rng)}
    if edit.task == "recolour":
        words["c"] = one_word(rng, COLOUR_WORDS[subject(edit.after, edit.new).colour])
    if edit.task == "mark":
        words["c"] = edit.colour
    if edit.task in ("replace", "add"):
        new = subject(edit.after, edit.new)
        if isinstance(new, Thing):
            full = edit.task == "add" or new.colour != subject(edit.before, edit.old).colour or rng.random() < 0.2
            words["n"] = _new(new, rng, full, edit.task == "add")
        else:
            words["n"] = with_article("a " + one_word(rng, PERSON_WORDS[new.identity.woman, new.identity.age]))
        if edit.task == "add" and abs(new.x - 0.5 * edit.after.aspect) > 0.08 * edit.after.aspect:
            words["s"] = one_word(rng, say.SIDES["left" if new.x < 0.5 * edit.after.aspect else "right"])
    if edit.task == "resize":
        old, new = (subject(scene, name) for scene, name in ((edit.before, edit.old), (edit.after, edit.new)))
        assert isinstance(old, Thing) and isinstance(new, Thing)
        words["r"] = one_word(rng, say.LARGER[SIZES.index(new.size) - SIZES.index(old.size)])
    if edit.task == "place":
        before, bare = one_word(rng, PLACE_WORDS[edit.after.place]).split("|")
        article = before.split()[-1] if before.split()[-1] in ("a", "an", "the") else ""
        words |= {"p": before + bare, "b": f"{article} {bare}"}
    return words


def _the(edit: Edit, rng: np.random.Generator) -> str:
    """The thing as it is, with its article; of a person whose clothes change, those."""
    if not edit.old:
        return ""
    one = subject(edit.before, edit.old)
    if isinstance(one, Person):
        if edit.part == "top":
            return f"{_his(one)} {one_word(rng, of_people.CLOTHES[one.top])}"
        return "the " + one_word(rng, PERSON_WORDS[one.identity.woman, one.identity.age])
    twins = sum(other.kind == one.kind for other in edit.before.things) > 1
    noun = one_word(rng, KIND_WORDS[one.kind])
    return f"the {one_word(rng, COLOUR_WORDS[one.colour])} {noun}" if twins or rng.random() < 0.25 else f"the {noun}"


def _new(thing: Thing, rng: np.random.Generator, coloured: bool, moving: bool) -> str:
    """What comes, with its article and, of what is added, how it moves."""
    noun = one_word(rng, KIND_WORDS[thing.kind])
    if coloured:
        noun = f"{one_word(rng, COLOUR_WORDS[thing.colour])} {noun}"
    if moving and (thing.size != "medium" or rng.random() < 0.12):
        noun = f"{one_word(rng, SIZE_WORDS[thing.size])} {noun}"
    if moving and rng.random() < 0.7:
        verb, gerund = sided(one_word(rng, MOTION_WORDS[thing.motion]), thing).split("|")
        noun = f"{noun} that {verb}" if rng.random() < 0.5 else f"{noun} {gerund}"
    return with_article("a " + noun)


def _who(scene: Scene, rng: np.random.Generator) -> str:
    """All that is in a scene, in short: "her", "the ball", "everything"."""
    if rng.random() < 0.3 or not (scene.person or scene.things):
        return "everything"
    if scene.person and not scene.things:
        him, noun = (
            _him(scene.person),
            one_word(rng, PERSON_WORDS[scene.person.identity.woman, scene.person.identity.age]),
        )
        return him if rng.random() < 0.5 else f"the {noun}"
    if len(scene.things) == 1 and not scene.person:
        return "it" if rng.random() < 0.3 else "the " + one_word(rng, KIND_WORDS[scene.things[0].kind])
    return "them" if rng.random() < 0.5 else "everything"


def _of_person(edit: Edit, rng: np.random.Generator, held_out: bool) -> str:
    old, new = edit.before.person, edit.after.person
    assert old is not None and new is not None
    words = {"h": _him(old), "i": _his(old), "x": "she" if old.identity.woman else "he"}
    part, looks = edit.part, new.identity
    if part == "expression":
        return _pick(rng, of_people.EXPRESSION[new.motion], held_out).format(**words)
    if part == "hair_colour":
        return _pick(rng, of_people.HAIR_COLOUR, held_out).format(
            c=one_word(rng, HAIR_COLOUR_WORDS[looks.hair_colour]), **words
        )
    if part == "hair_style":
        return _pick(rng, of_people.HAIR_STYLE, held_out).format(
            g=one_word(rng, of_people.HAIR_STYLE_WORDS[looks.hair_style]), **words
        )
    value = new.hat if part == "hat" else getattr(looks, part)
    if value == "none":
        return _pick(rng, of_people.TAKE_OFF[part], held_out).format(**words)
    table = {"hat": HAT_WORDS, "glasses": GLASSES_WORDS, "beard": BEARD_WORDS}[part]
    worn = one_word(rng, table[value]).format(c=one_word(rng, COLOUR_WORDS[new.hat_colour]))
    return _pick(rng, of_people.PUT_ON[part], held_out).format(g=with_article(worn), **words)


def _him(person: Person) -> str:
    return "her" if person.identity.woman else "him"


def _his(person: Person) -> str:
    return "her" if person.identity.woman else "his"


def _pick(rng: np.random.Generator, phrasings: say.Phrasings, held_out: bool) -> str:
    choices = phrasings[held_out]
    return choices[int(rng.integers(len(choices)))]


def _dress(text: str, rng: np.random.Generator) -> str:
    """Politeness, case and full stop as people type them."""
    polite = say.POLITE[int(rng.integers(len(say.POLITE)))]
    text = text if text.split()[0] in say.WISHES else polite.format(text)
    text = text if rng.random() < 0.6 else text[0].upper() + text[1:]
    return text + "." if rng.random() < 0.3 and text[-1] != "?" else text
