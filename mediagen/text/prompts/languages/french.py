"""French for the words of the world; see `languages`."""

ENDINGS = ("", "s", "e", "es")
AFTER = True
ARTICLES = "un, une, le, la, l, les, du, ce, cet, cette, son, sa, ses, mon, ma, notre"
PREPOSITIONS = """dans, sur, sous, avec, de, d, en, à, a, aux, au, vers, par, pour, entre, parmi, derrière,
    devant, chez, contre, à travers, le long de, au bord de, près de, à côté de, au dessus de, du, des, autour, au
    milieu de"""
GLUE = """et, ou, mais, est, sont, qui, que, qu, il, elle, on, y, se, s, ils, elles, je, j, nous, vous, puis,
    alors, aussi, très, lentement, vite, doucement, rapidement, montre, fais, crée, vidéo, clip, film, scène, image,
    animation, voit, voir, reste, porte, portant, vêtu~, habillé~, la main, tête, caméra, couleur, clair~, foncé~,
    beau, belle, joli~, pendant, temps, lui même, elle même, a, ont, quelque, tout, c, comme, là, ici, s il te
    plaît, dessus, faire, d elle, elle, là bas"""
WORDS: dict[str, dict[str, str]] = {
    "thing": {
        "": "quelque chose, objet, chose, forme",
    },
    "kind": {
        "ball": "balle, balles, ballon, ballons, sphère, boule",
        "cube": "cube, cubes, boîte, bloc, caisse",
        "star": "étoile, étoiles",
        "ring": "anneau, anneaux, cercle, cerceau",
        "triangle": "triangle, triangles",
        "car": "voiture, voitures, auto",
        "boat": "bateau, bateaux, navire, voilier",
        "bird": "oiseau, oiseaux",
        "fish": "poisson, poissons",
        "rocket": "fusée, fusées, vaisseau spatial, vaisseau",
    },
    "colour": {
        "red": "rouge, rouges, écarlate",
        "orange": "orange, oranges, orangé~",
        "yellow": "jaune, jaunes, doré~",
        "green": "vert~",
        "turquoise": "turquoise, turquoises, cyan",
        "blue": "bleu~",
        "purple": "violet, violette, violets, violettes, mauve, pourpre",
        "pink": "rose, roses",
        "white": "blanc, blanche, blancs, blanches",
        "black": "noir~",
    },
    "size": {
        "small": "petit~, minuscule, minuscules",
        "medium": "moyen, moyenne",
        "large": "grand~, gros, grosse, énorme, géant~",
    },
    "motion": {
        "bounces": "rebondit, rebondissant, saute, sautant, bondit, saute de haut en bas, sautille, rebondissante",
        "rolls": "roule, roulant, roulante",
        "falls": "tombe, tombant, chute, tombe par terre",
        "floats up": """s élève, monte, flotte, flotte vers le haut, décolle, montant, flottant, s envole, vers
            le haut, vers le ciel, monte vers le haut, lévite""",
        "spins": "tourne, tournant, tourne sur lui même, tourne sur elle même, pivote, tournoie, tournante",
        "orbits": """tourne en rond, vole en cercle, en cercle, en rond, vole en cercles, tourne autour, nage en
            cercle, tournant en rond""",
        "crosses": """vole, volant, nage, nageant, navigue, naviguant, passe, passant, avance, traverse,
            conduit, vogue, file, se déplace, roule""",
        "rests": """immobile, reste immobile, repose, est posé, est posée, posé, posée, se repose, arrêté,
            arrêtée, ne bouge pas""",
    },
    "act": {
        "turns the head": """tourne la tête, regarde autour d elle, regarde autour de lui, regarde autour,
            tournant la tête""",
        "nods": "hoche la tête, acquiesce, hochant la tête",
        "shakes the head": "secoue la tête, secouant la tête",
        "smiles": "sourit, souriant, souriante",
        "opens the mouth": "ouvre la bouche, bâille, baille, bâillant",
        "looks ahead": "regarde devant, regarde droit devant, regarde la caméra, nous regarde",
        "hums": "fredonne, fredonnant, chantonne",
        "waves": "fait signe de la main, fait signe, salue, saluant, salue de la main, fait coucou",
        "walks": "marche, marchant, se promène",
        "jumps": "saute, sautant, bondit, saute de haut en bas",
        "dances": "danse, dansant",
        "claps": "applaudit, applaudissant, tape dans ses mains, tape des mains, frappe dans ses mains",
        "stands": "debout, se tient debout, se tient",
    },
    "direction": {
        "-1": "gauche, à gauche, vers la gauche, de droite à gauche",
        "1": "droite, à droite, vers la droite, de gauche à droite",
    },
    "place": {
        "meadow": "pré, prairie, champ, herbe, pelouse",
        "room": "chambre, pièce, salon, maison, salle, intérieur",
        "desert": "désert, dunes",
        "snowy mountains": "montagnes enneigées, montagnes, montagne, alpes, montagne enneigée",
        "seaside": "bord de la mer, mer, plage, côte, rivage, océan, bord de mer",
        "night city": "ville, ville la nuit, ville de nuit, ville nocturne",
        "forest": "forêt, bois, arbres",
        "outer space": "espace, cosmos, univers, espace lointain",
    },
    "weather": {
        "clear": "ciel dégagé, ciel clair, beau temps",
        "rain": "pluie, pleut, il pleut, pluvieux, pluvieuse",
        "snow": "neige, il neige, flocons",
        "fog": "brouillard, brume, brumeux, brumeuse",
    },
    "time": {
        "day": "jour, de jour, journée, matin, en plein jour, midi",
        "night": "nuit, la nuit, de nuit, minuit, soir",
    },
    "sunny": {
        "": "ensoleillé~, soleil radieux, journée ensoleillée",
    },
    "style": {
        "outlined": "contours, contours épais, avec des contours, contour, au trait",
        "soft": "doux, douce, style doux, flou~",
    },
    "camera": {
        "still": "caméra fixe, plan fixe, caméra immobile",
        "pan": "panoramique, caméra se déplace, caméra tourne, caméra pivote, caméra va",
        "zoom in": "zoom avant, zoom, caméra zoome, caméra s approche, caméra avance, zoom sur",
        "zoom out": "zoom arrière, caméra recule, caméra s éloigne, dézoom",
    },
    "shot": {
        "portrait": "portrait, gros plan",
        "figure": "plan large, plan en pied",
    },
    "who": {
        "woman adult": "femme, dame, femmes",
        "man adult": "homme, monsieur, type",
        "woman old": "grand mère, mamie, vieille dame, vieille femme",
        "man old": "grand père, papi, vieil homme, vieillard",
        "woman child": "fille, fillette, petite fille",
        "man child": "garçon, petit garçon",
        "anyone child": "enfant",
        "anyone": "personne, quelqu un",
    },
    "age": {
        "old": "vieux, vieil, vieille, âgé~",
        "adult": "jeune",
    },
    "hair": {
        "": "cheveux",
        "curly": "boucles",
        "bob": "carré, coupe au carré",
        "ponytail": "queue de cheval",
        "bun": "chignon",
        "bald": "sans cheveux",
    },
    "hair_look": {
        "short": "court, courts",
        "long": "long, longs, longue",
        "curly": "bouclé~, frisé~",
        "spiky": "hérissé~, en pointes",
        "bald": "chauve",
    },
    "hair_colour": {
        "black": "noir~, foncé~",
        "brown": "brun~, châtain~",
        "blond": "blond~",
        "red": "roux, rousse, rouges",
        "grey": "gris, grise, grises",
        "white": "blanc, blancs, blanche, blanches",
    },
    "glasses": {
        "round": "lunettes",
        "dark": "lunettes de soleil, lunettes noires",
    },
    "glasses_look": {
        "round": "rond~",
        "square": "carrées",
    },
    "beard": {
        "full": "barbe",
        "goatee": "bouc, barbichette",
    },
    "moustache": {
        "": "moustache",
    },
    "detail": {
        "": "taches de rousseur, boucles d oreilles",
    },
    "hat": {
        "cap": "casquette",
        "beanie": "bonnet",
        "brimmed": "chapeau",
    },
    "top": {
        "plain": "chemise, pull, t shirt, tee shirt, haut",
        "striped": "rayures, marinière",
        "collar": "polo",
        "dress": "robe",
    },
    "top_look": {
        "striped": "rayé~",
    },
    "mood": {
        "": "musique, mélodie",
    },
    "no": {
        "": "sans, pas de, ne, pas, aucun~",
    },
}
NEAR: dict[str, str] = {
    "bird": """chien chiens chat chats cheval vache mouton cochon lion tigre ours loup renard lapin éléphant
        singe souris poule canard aigle abeille papillon dragon animal animaux""",
    "fish": "baleine requin dauphin pieuvre serpent grenouille",
    "car": "vélo moto camion bus train tracteur",
    "rocket": "avion hélicoptère ovni drone",
    "ball": "pomme œuf lune soleil planète gâteau pain football",
    "cube": "livre table chaise porte canapé lit fenêtre tour",
    "triangle": "pyramide tente toit cœur feuille arbre balai",
    "star": "fleur feu éclair",
    "woman": "sorcière reine princesse",
    "man": "roi magicien astronaute médecin soldat cuisinier",
    "girl": "enfants bébé",
    "meadow": "parc jardin colline village",
    "room": "cuisine bureau école",
    "seaside": "rivière lac eau île port étang",
    "city": "rue route château pont",
    "forest": "jungle",
    "under a clear sky": "ciel",
    "walks right": "court courant galope",
    "opens her mouth": "parle mange chante boit",
    "smiles": "rit embrasse",
    "stands still": "dort lit écrit attend assis assise",
    "dances": "joue",
    "at night": "coucher_de_soleil coucher crépuscule",
    "by day": "lever_de_soleil lever_du_soleil lever aube",
    "orange": "marron brun brune",
    "white": "gris grise argenté",
    "simple shapes": "réaliste photoréaliste",
    "a": "deux trois quatre cinq plusieurs",
}
