"""English beyond the words of the world's own captions: synonyms, other phrasings, and what is near to what."""

ENDINGS = ("", "s")
AFTER = False
ARTICLES = "a, an, the, this, that, another, some, his, her, its, their, my, your, our, these, those, one"
PREPOSITIONS = """in, on, at, of, with, to, from, into, onto, through, over, above, under, below, beneath,
    behind, by, along, across, against, near, beside, next to, between, among, amid, around, towards, toward,
    inside, outside, up, down, off, for, about, as, like, upon, within, past, during, in front of"""
GLUE = """is, are, was, were, be, been, being, am, it, he, she, they, we, you, i, me, us, him, them, there,
    here, who, which, what, where, when, while, as, then, and, or, but, also, both, so, just, very, really, quite,
    slowly, quickly, fast, slow, gently, softly, smoothly, please, can, could, would, will, should, may, want,
    wants, like, love to, d, s, t, m, re, ll, ve, show, make, made, create, generate, give, draw, render, film,
    video, clip, short, movie, shot, scene, picture, image, animation, footage, frame, view, see, seen, look, watch,
    how, all, happens, somewhere, everywhere, thing, lol, ok, hey, hi, do, does, did, has, have, had, having, get,
    gets, let, lets, sits there, wearing, wears, worn, dressed, coloured, colored, colour, color, kind, sort, bit,
    little bit, now, while, until, after, before, again, camera, dark, light, bright, pale, deep, lovely, beautiful,
    nice, pretty, cute, high quality, 4k, 8k, hd, ultra hd, uhd, masterpiece, best quality, detailed, smooth, back,
    background, foreground, front, middle, center, centre, side, together, only, yes, own, out, itself, himself,
    herself, one can see, two things, made of, d love, weather, daylight, whole, whose, someone s, time, away, any,
    set, i d love, what about, face, head, hair cut, we re, far, still, something like, happily, loosely, cartoon,
    cartoon like, look of, style"""
WORDS: dict[str, dict[str, str]] = {
    "thing": {
        "": "something, thing, object, shape",
    },
    "kind": {
        "ball": "balls, spheres, orb, orbs, globe",
        "cube": "cubes, boxes, blocks",
        "star": "stars, star shaped",
        "ring": "rings, hoops, circle, circles",
        "triangle": "triangles",
        "car": "cars, automobiles, auto",
        "boat": "boats, ships, sail boat, sailboat, vessel",
        "bird": "birds, birdie",
        "fish": "fishes, fishy",
        "rocket": "rockets, spaceships, space ship, spacecraft, starship",
    },
    "colour": {
        "red": "crimson, ruby, reddish",
        "orange": "tangerine",
        "yellow": "gold, golden, lemon",
        "green": "lime, emerald",
        "turquoise": "aqua, aquamarine",
        "blue": "navy, azure",
        "purple": "lilac, lavender",
        "pink": "rose, magenta, rosy",
    },
    "size": {
        "small": "lil, mini, miniature, wee, teeny",
        "medium": "medium, medium sized",
        "large": "gigantic, giant, enormous, massive, great",
    },
    "motion": {
        "bounces": """up and down, jumps, jumping, leaps, leaping, jumping around, bouncing around, hopping
            around, bobs, bobbing, bobbing up and down, bobs up and down, bounces up and down, bouncing up and down,
            jumps around, jumps out, leaps out""",
        "rolls": "rolls, rolling",
        "falls": "fell, drops, tumbles, tumbling, tumbling down, falls to the ground, plunges, plummets, drops down",
        "floats up": """rose up, flew up, upwards, upward, into the air, floats, floating, hovers, hovering,
            hovers upward, floats upward, floats upwards, levitates, levitating, ascends, ascending, takes off,
            taking off, takes flight, flies up, flying up, floating upwards, hovering upward, hovering upwards,
            rising up, rises up, drifts up, drifting up, goes up, going up, lifting off""",
        "spins": """spun, turns, turning, twirls, twirling, turns round, turning round, turning round and round,
            revolves, revolving, spins around, spinning around""",
        "orbits": """in circles, in a circle, round and round in circles, circles around, swims around in
            circles, swims in circles, flies around in circles, moves in a circle, swimming in circles, circling,
            circles above""",
        "crosses": """flew, drove, swam, went, crosses, crossing, moves, moving, goes, going, passes, passing,
            drives, driving, sails, sailing, flies, flying, swims, swimming, travels, travelling, traveling, passes
            by, drifts, drifting, glides, gliding, speeds, speeding, zooms past, shoots, shooting, zooming past,
            flys, crosses the screen, cruises, cruising""",
        "rests": """stood, sat, lay, sits, sitting, stands, standing, parked, motionless, at rest, lies, lying,
            sits there, sits still, sitting still, stays still, is still, stationary, stays, unmoving, doesn t move,
            not move, is lying still""",
    },
    "act": {
        "turns the head": "turns head, turning head, looks around herself, turns her face",
        "nods": "nods yes, nod",
        "shakes the head": "shakes head, shaking head, shakes no, says no",
        "smiles": "grins, grinning, smile, is happy",
        "opens the mouth": "open mouth, mouth open",
        "looks ahead": "looks straight ahead, staring ahead, stares ahead, looks into the camera, looks forward",
        "hums": "hums a song, humming a song, hum",
        "waves": "waving hello, waves at us, waves goodbye, waving goodbye, waves hi, wave hello",
        "walks": "walks, walking, strolls, strolling, stroll, walk",
        "jumps": "jumps, jumping, hops, hopping, leaps, leaping",
        "dances": "dances around, dance",
        "claps": "claps, clapping, applauding, applause",
        "stands": "stands, standing",
    },
    "direction": {
        "-1": "left, to the left, leftward, leftwards, from right to left, right to left, towards the left",
        "1": "right, to the right, rightward, rightwards, from left to right, left to right, towards the right",
    },
    "place": {
        "meadow": "meadow, grass, lawn, prairie, pasture, meadows, fields, grasslands",
        "room": "indoors, at home, home, inside a house",
        "desert": "sand dune, dunes, sahara, dessert",
        "snowy mountains": "snowy landscape, mountain, snowy mountain, snow covered mountain, alps",
        "seaside": "beach, sea, ocean, coast, shore, shoreline, seashore, coastline, sandy beach",
        "night city": "metropolis, downtown, town at night, city street, street of a city, city by night",
        "forest": "forests, wood, woodland, tree",
        "outer space": "galaxy, starry void, the void",
    },
    "weather": {
        "clear": "clear sky, cloudless, cloudless sky, cloudless weather, no clouds, blue sky",
        "rain": "rains, raining, rainy, downpour, drizzle, drizzling, it s raining",
        "snow": "snowing, snows, snowy, blizzard, snowflakes, snow falling, snow is falling, snow falls",
        "fog": "foggy, mist, misty, haze, hazy, thick fog, the mist",
    },
    "time": {
        "day": "day, morning, noon, midday, afternoon, daylight, bright day",
        "night": "night time, nighttime, nite, midnight, evening, after dark, in the dark, tonight",
    },
    "sunny": {
        "": "sunshine, sunny weather, sunny day, on a bright day",
    },
    "style": {
        "plain": "flat, simple",
        "outlined": "outlined, outlines, outline, thick outlines, line art, outline look, comic outline look",
        "soft": "soft, blurry, soft focus, blurred, soft edges",
    },
    "camera": {
        "still": """still camera, static camera, fixed camera, camera stays fixed, camera stays still, camera is
            still, locked off shot, static""",
        "pan": "pan, panning, camera pans, camera panning, camera moves",
        "zoom in": """zooms in, zooming, tracking in closer, tracking in, moves closer, dolly in, push in,
            camera comes closer, camera gets closer, zoom in on, zoom""",
        "zoom out": "zooms out, camera backs away, camera pulls back, pull back, dolly out, moves away",
    },
    "shot": {
        "portrait": "portrait, close up, closeup, headshot",
        "figure": "full shot, full length, wide shot, full body",
    },
    "who": {
        "woman adult": "female, women, mother, mom",
        "man adult": "gentleman, male, dude, father, dad, men",
        "woman old": "grandma, granny, grandmother",
        "man old": "grandpa, grandfather, elderly gentleman, old gentleman, old guy",
        "woman child": "small girl",
        "man child": "small boy, lad",
        "anyone child": "child, kid",
        "anyone": "person, someone, somebody",
    },
    "age": {
        "old": "old, elderly, aged",
        "adult": "young, grown up",
        "child": "little",
    },
    "hair": {
        "": "hair, hairs, haired",
        "curly": "curls",
        "bob": "bob",
        "ponytail": "ponytail, pony tail",
        "bun": "bun",
        "spiky": "spikes",
        "short": "cut short",
        "bald": "bald head, no hair",
    },
    "hair_look": {
        "short": "short",
        "long": "long, long straight",
        "curly": "curly, wavy",
        "spiky": "spiky",
        "bald": "bald",
    },
    "hair_colour": {
        "brown": "brunette",
        "red": "redhead, redheaded",
        "blond": "blond, golden",
    },
    "glasses": {
        "round": "spectacles, eyeglasses",
        "dark": "shades",
    },
    "glasses_look": {
        "round": "round",
        "square": "square",
    },
    "beard": {
        "full": "beard, full beard",
        "goatee": "goatee",
    },
    "moustache": {
        "": "moustache, mustache",
    },
    "detail": {
        "": "freckles, earrings, golden earrings",
    },
    "hat": {
        "cap": "cap, baseball cap",
        "beanie": "beanie, woolly hat, knitted hat",
        "brimmed": "hat, hat with a brim",
    },
    "top": {
        "plain": "shirt, sweater, tee, t shirt, tshirt, jumper, pullover",
        "striped": "striped shirt, stripes",
        "collar": "polo shirt, shirt with a collar, polo",
        "dress": "dress",
    },
    "top_look": {
        "striped": "striped",
    },
    "mood": {
        "": "music, melody, tune, soundtrack",
    },
    "no": {
        "": "no, without, not, don t, never, no longer, without any",
    },
}
NEAR: dict[str, str] = {
    "bird": """dog dogs cat cats kitten puppy horse cow sheep goat pig lion tiger bear wolf fox rabbit bunny
        deer elephant giraffe monkey mouse rat chicken duck goose owl eagle parrot penguin bee butterfly insect bug
        spider ant bat dinosaur unicorn animal animals zebra camel kangaroo panda squirrel hen swan crow pigeon
        dragon fairy angel""",
    "fish": "whale shark dolphin octopus turtle seal crab jellyfish frog snake lizard crocodile squid mermaid",
    "car": """bike bicycle truck bus train motorcycle motorbike taxi tram tractor van scooter wagon ambulance
        vehicle skateboard lorry""",
    "boat": "canoe raft submarine yacht kayak ferry",
    "rocket": "airplane plane aeroplane jet helicopter missile ufo drone satellite balloon airship",
    "ball": """apple egg moon sun planet earth fruit tomato pumpkin bubble coin pearl cloud cookie
        pizza cake bread food pasta soccer football basketball marble stone rock ice_cream ice cream
        hot_air_balloon""",
    "cube": """book phone computer table chair door wall suitcase gift present robot sofa couch bed bench window
        tower building laptop television tv piano bottle cup glass floor bag brick cylinder rectangle square lamp
        guitar""",
    "triangle": "pyramid tent cone roof kite heart leaf arrow paper sail",
    "star": "flower flowers rose snowflake lightning fire firework fireworks diamond sparkle flame explosion",
    "ring": "wheel donut tyre tire bracelet rainbow circle oval hula",
    "woman": "queen witch princess teacher nurse bride people couple crowd family women lady actress dancer singer",
    "man": """king chef astronaut policeman soldier doctor knight wizard prince worker farmer pirate ninja
        superhero santa""",
    "girl": "kids children baby toddler daughter teenager students",
    "meadow": "park garden farm hill hills valley golf stadium playground countryside yard village",
    "room": "kitchen bedroom office school bar restaurant studio bathroom hall hotel shop kitchen museum church gym",
    "seaside": "lake river pond pool harbor harbour island water waterfall bay port underwater waves",
    "desert": "canyon sand mars beach heat savanna hot",
    "mountains": "volcano glacier cliff arctic ice iceberg",
    "city": "town street road highway castle bridge building skyline tokyo paris london york",
    "forest": "jungle swamp rainforest bush",
    "under a clear sky": "sky",
    "space": "air heaven planets nebula",
    "walks right": "runs running run jogs jogging marches marching gallops walks walking skips rides riding race races",
    "opens her mouth": """talks talking speaks speaking eats eating drinks drinking sings singing shouts screams
        cries crying""",
    "smiles": "laughs laughing kisses hugs winks",
    "stands still": """sleeps sleeping reads reading writes cooking cooks works sits sitting thinks waits
        waiting leans leaning""",
    "dances": "plays playing fights fighting skates skating skiing surfing",
    "spins": "dances dancing twinkling twinkle shines melts melting explodes exploding beats burns burning grows",
    "rests": "sleeps sleeping hangs hanging",
    "falls": "crashes crashing breaks sinks collapses sets",
    "bounces": "shakes shaking",
    "crosses": "leaves leaving chases chasing",
    "in the rain": "storm stormy thunder hail wind windy hurricane tornado",
    "in the fog": "smoke smoky dust dusty steam",
    "shirt": "coat jacket hoodie suit vest blouse uniform cardigan robe kimono",
    "hat": "helmet crown hood",
    "at night": "sunset dusk twilight moonlight",
    "by day": "sunrise dawn",
    "orange": "brown bronze copper",
    "white": "grey gray silver beige transparent cream",
    "black": "dark",
    "red": "maroon rainbow-coloured",
    "simple shapes": """photorealistic realistic cinematic anime 3d pixar photo photograph watercolor
        watercolour painting sketch vintage lego clay pixel noir dramatic epic""",
    "a": "two three four five six seven eight nine ten many several few dozen hundred pair",
}
# Words that look like typos of the world's and are none.
REAL = """node raise string pre other each nav rights add start later late edge law part art sin read form rest
    log long main man states object contains done avoid host way range load says sample shared classes hope mean
    stop top setting testing calling seed parked training due rather obtained remaining lock blocked coast cost
    leading closed larger making marked reset chain taken settings simply packed fully own starts bad site older
    sliding chat hold listing holder lead quiet printing plan tar ways yields care rising rose arising age maintain
    wrapping card cards outer week saving stopping fold sharing rotation scroll land lad told covers showing fat
    turning counting raining closest peak bot dropping learning dead gather menu men staging scanning ascending lack
    black stages sim lives locks shares drain driven drives breach filling spelling looked driver guides sold grow
    grown rounds likes saves shifting dangling fair stating trick clears mind traverse stray cuts arise ran choosing
    laid sites suit greeting bring thin wishes chop sake fitting hitting strips dollar cleaning forecast wider
    graceful seeds passages pins slight losing bid cares snowball stacking trimming shipping resetting handy lit
    halt crossed dumping whoops pocket lie travel redo tea cold cropping oranges hesitate looping shade dimple
    humming hue tur popping brings losses advancing tense restoring ray planning cue pen bond bomb lengthy ate tail
    laying fred bunk pawn glad dart baking movies tops widen homes seeding lily gin pie hell bringing pasting
    shutting circled stealing trail fountain quitting pressing grind sand shoe jumped son song mend coat mold spies
    screen ale wall mall hall tall call fall bull bell bill goat moat bat cat rat hat mat sat band hand wand bread
    bred bead bean seat seal team steam dream cream scream stream scar scarf stare store stone story strange wing
    king sing thing swing spring hook cook book look moon soon noon spoon food wood good mood hood pool tool fool
    cool roll poll toll doll pull full dress press bless mess less loss boss moss cross gross grass glass class
    brass bird third word lord cord ford road toad rocks socks locket jacket racket packet bucket market basket
    blanket cabin cable table stable bottle battle cattle castle candle handle needle noodle poodle paddle saddle
    middle puddle light flight fight sight tight right night knight might eight weight height straight plane plant
    planet pants paint point saint rain brain train grain pain gain vain stain snow show slow blow flow glow crow
    row low bow cow how fire wire tire hire tower power flower shower lower river never clever fever liver silver
    shape shave share shark sharp sheep sleep steep deep keep step shell smell small spell shy sky ski skin spin win
    tin pin fin twin pear bear fear gear hear near dear year tear wear beard board boards cube tube club cup cap map
    tap gap lap nap cape cave wave save gave lake cake bake fake make snake shake take wake stake brake bike hike
    like mike dice rice mice nice price slice ice face lace race pace place space grace trace bride bridge fridge
    frog fog dog hog"""
