"""The words that captions of people are composed from, as plain tables; {h} is his, her or their, {c} a colour."""

PERSON_WORDS: dict[tuple[bool, str], tuple[str, ...]] = {  # (woman, age)
    (True, "child"): ("girl", "little girl", "young girl"),
    (False, "child"): ("boy", "little boy", "young boy"),
    (True, "adult"): ("woman", "lady", "young woman"),
    (False, "adult"): ("man", "guy", "young man"),
    (True, "old"): ("old woman", "elderly woman", "old lady"),
    (False, "old"): ("old man", "elderly man", "older man"),
}
PEOPLE = tuple(words[0] for words in PERSON_WORDS.values())
HAIR_WORDS: dict[str, tuple[str, ...]] = {  # {c} is the colour
    "bald": ("no hair", "a bald head"),
    "short": ("short {c} hair", "{c} hair cut short"),
    "spiky": ("spiky {c} hair", "{c} hair in spikes"),
    "curly": ("curly {c} hair", "{c} curls"),
    "bob": ("a {c} bob", "{c} hair in a bob", "chin-length {c} hair"),
    "long": ("long {c} hair", "long straight {c} hair"),
    "ponytail": ("a {c} ponytail", "{c} hair in a ponytail"),
    "bun": ("a {c} bun", "{c} hair in a bun"),
}
HAIR_STYLES_SAID = tuple(words[0].replace("{c} ", "") for words in HAIR_WORDS.values())
HAIR_COLOUR_WORDS: dict[str, tuple[str, ...]] = {
    "black": ("black", "dark"),
    "brown": ("brown", "chestnut"),
    "blond": ("blond", "blonde", "golden"),
    "red": ("red", "ginger"),
    "grey": ("grey", "gray"),
    "white": ("white", "snow-white"),
}
GLASSES_WORDS: dict[str, tuple[str, ...]] = {
    "round": ("round glasses", "glasses"),
    "square": ("square glasses", "glasses"),
    "dark": ("sunglasses", "dark glasses"),
}
BEARD_WORDS: dict[str, tuple[str, ...]] = {
    "full": ("a beard", "a full beard"),
    "goatee": ("a goatee", "a small beard on the chin"),
}
MOUSTACHE_WORDS = ("a moustache", "a mustache")
FRECKLE_WORDS = ("freckles",)
EARRING_WORDS = ("earrings", "golden earrings")
HAT_WORDS: dict[str, tuple[str, ...]] = {
    "cap": ("a {c} cap", "a {c} baseball cap"),
    "beanie": ("a {c} beanie", "a {c} woolly hat"),
    "brimmed": ("a {c} hat", "a {c} hat with a brim"),
}
TOP_WORDS: dict[str, tuple[str, ...]] = {
    "plain": ("a {c} shirt", "a {c} sweater"),
    "striped": ("a {c} striped shirt", "a shirt with {c} stripes"),
    "collar": ("a {c} shirt with a collar", "a {c} polo shirt"),
    "dress": ("a {c} dress", "a long {c} dress"),
}
PERSON_MOTION_WORDS: dict[str, tuple[str, ...]] = {
    "turns the head": (
        "turns {h} head|turning {h} head",
        "looks around|looking around",
        "looks left and right|looking left and right",
    ),
    "nods": ("nods|nodding", "nods {h} head|nodding {h} head", "says yes with a nod|nodding yes"),
    "shakes the head": ("shakes {h} head|shaking {h} head", "is shaking {h} head|shaking the head"),
    "smiles": ("smiles|smiling", "begins to smile|beginning to smile", "gives a smile|giving a smile"),
    "opens the mouth": (
        "opens {h} mouth|opening {h} mouth",
        "opens and closes {h} mouth|opening and closing {h} mouth",
        "yawns|yawning",
    ),
    "looks ahead": (
        "looks ahead|looking ahead",
        "looks at the camera|looking at the camera",
        "looks at us|looking at us",
    ),
    "hums": ("hums|humming", "hums a tune|humming a tune", "sways and hums|swaying and humming"),
    "waves": ("waves|waving", "waves {h} hand|waving {h} hand", "waves hello|waving hello"),
    "walks left": (
        "walks left|walking left",
        "walks to the left|walking to the left",
        "goes to the left on foot|strolling left",
    ),
    "walks right": (
        "walks right|walking right",
        "walks to the right|walking to the right",
        "goes to the right on foot|strolling right",
    ),
    "jumps": ("jumps|jumping", "jumps up and down|jumping up and down", "leaps into the air|leaping"),
    "dances": ("dances|dancing", "is dancing|dancing", "does a dance|doing a dance"),
    "claps": ("claps|clapping", "claps {h} hands|clapping {h} hands", "applauds|applauding"),
    "stands": ("stands|standing", "stands still|standing still", "stands there|standing there"),
}
PORTRAIT_FRAMES = (
    "portrait of {}",
    "a portrait of {}",
    "close-up of {}",
    "a close-up portrait of {}",
    "the face of {}",
)
FIGURE_FRAMES = ("full shot of {}", "a full-length view of {}", "a wide shot of {}")
PERSON_NOISE_WORDS: dict[str, tuple[str, ...]] = {
    "walks left": ("footsteps", "steps", "a person walking"),
    "walks right": ("footsteps", "steps", "a person walking"),
    "jumps": ("feet landing on the ground", "jumping feet", "thuds of landing feet"),
    "dances": ("shuffling feet", "dancing steps"),
    "claps": ("clapping hands", "claps", "applause of one person"),
    "hums": ("a person humming", "humming", "a hummed tune"),
}
