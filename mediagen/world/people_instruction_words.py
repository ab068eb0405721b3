"""The words of instructions about people, in the letters and halves of `instruction_words`."""

from mediagen.world.instruction_words import Phrasings

# Of a person: what is put on, taken off, or becomes another.
PUT_ON: dict[str, Phrasings] = {
    "glasses": (
        ("give {h} {g}", "put {g} on {h}", "{x} should wear {g}", "add {g}", "let {h} wear {g}"),
        ("{x} needs {g}", "make {h} wear {g}"),
    ),
    "hat": (
        ("give {h} {g}", "put {g} on {h}", "{x} should wear {g}", "let {h} wear {g}", "add {g} on {i} head"),
        ("{x} needs {g}", "make {h} wear {g}"),
    ),
    "beard": (
        ("give {h} {g}", "let {h} grow {g}", "{x} should have {g}", "add {g} to {i} face"),
        ("{x} needs {g}", "make {h} wear {g}"),
    ),
}
TAKE_OFF: dict[str, Phrasings] = {
    "glasses": (
        ("remove {i} glasses", "take off {i} glasses", "take {i} glasses away", "{x} should not wear glasses"),
        ("no glasses for {h}", "let {h} take off the glasses"),
    ),
    "hat": (
        ("remove {i} hat", "take off {i} hat", "take {i} hat away", "{x} should not wear a hat"),
        ("no hat for {h}", "let {h} take off the hat"),
    ),
    "beard": (
        ("remove {i} beard", "shave off {i} beard", "shave {h}", "{x} should not have a beard"),
        ("no beard for {h}", "let {h} shave"),
    ),
}
HAIR_COLOUR: Phrasings = (
    (
        "make {i} hair {c}",
        "dye {i} hair {c}",
        "change {i} hair colour to {c}",
        "give {h} {c} hair",
        "turn {i} hair {c}",
    ),
    ("let {i} hair be {c}", "{i} hair must become {c}"),
)
HAIR_STYLE: Phrasings = (
    ("give {h} {g}", "change {i} hair to {g}", "{x} should have {g}", "turn {i} hair into {g}", "let {h} have {g}"),
    ("i want {h} with {g}", "style {i} hair as {g}"),
)
HAIR_STYLE_WORDS: dict[str, tuple[str, ...]] = {
    "bald": ("a bald head", "no hair"),
    "short": ("short hair", "hair cut short"),
    "spiky": ("spiky hair", "hair in spikes"),
    "curly": ("curly hair", "curls"),
    "bob": ("a bob", "chin-length hair"),
    "long": ("long hair", "long straight hair"),
    "ponytail": ("a ponytail", "hair in a ponytail"),
    "bun": ("a bun", "hair in a bun"),
}
EXPRESSION: dict[str, Phrasings] = {
    "smiles": (
        ("make {h} smile", "let {h} smile", "{x} should smile", "put a smile on {i} face"),
        ("{x} begins to smile", "have {h} smile"),
    ),
    "opens the mouth": (
        ("make {h} open {i} mouth", "let {h} open {i} mouth", "{x} should open and close {i} mouth", "make {h} yawn"),
        ("{x} opens {i} mouth", "have {h} yawn"),
    ),
    "looks ahead": (
        ("make {h} look ahead calmly", "let {h} just look at the camera", "{x} should only look ahead"),
        ("{x} looks at us calmly", "have {h} look ahead"),
    ),
}
CLOTHES = {
    "plain": ("shirt", "sweater"),
    "striped": ("striped shirt", "shirt"),
    "collar": ("shirt", "polo shirt"),
    "dress": ("dress",),
}
