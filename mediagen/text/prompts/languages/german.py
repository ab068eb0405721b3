"""German for the words of the world; see `languages`."""

ENDINGS = ("", "e", "er", "es", "en", "em")
AFTER = False
ARTICLES = """ein, eine, einen, einem, einer, eines, der, die, das, den, dem, des, dieser, diese, dieses, ihr,
    ihre, ihren, sein, seine, seinen, mein, meine"""
PREPOSITIONS = """in, im, ins, am, an, auf, mit, von, vom, zu, zum, zur, durch, über, unter, unterm, neben, bei,
    beim, aus, nach, vor, hinter, um, gegen, entlang, für, zwischen, inmitten"""
GLUE = """und, oder, aber, ist, sind, war, wird, es, er, sie, man, ich, du, wir, da, dort, hier, dann, auch,
    nur, sehr, so, sich, langsam, schnell, sanft, bitte, zeige, zeig, mach, mache, erstelle, video, clip, film,
    szene, bild, animation, von, herum, während, dabei, wo, wie, als, hat, haben, trägt, gekleidet, tragend, die in,
    hände, kopf, kamera, farbe, farbig, hell, dunkel, schön~, toll~, der sich, welche, welcher, gibt, sieht, zu
    sehen, möchte, wetter, ganz, etwas weiter, aus der"""
WORDS: dict[str, dict[str, str]] = {
    "thing": {
        "": "etwas, ding, gegenstand, objekt, form",
    },
    "kind": {
        "ball": "ball, bälle, kugel, kugeln",
        "cube": "würfel, kiste, block, klotz, quader, schachtel",
        "star": "stern, sterne, fünfzackiger stern",
        "ring": "ring, ringe, reifen, kreis, kreis aus",
        "triangle": "dreieck, dreiecke",
        "car": "auto, autos, wagen, spielzeugauto",
        "boat": "boot, boote, schiff, schiffe, segelboot, segelschiff",
        "bird": "vogel, vögel, singvogel",
        "fish": "fisch, fische",
        "rocket": "rakete, raketen, raumschiff, raumschiffe",
    },
    "colour": {
        "red": "rot~, scharlachrot~, knallrot~, hellrot~, dunkelrot~",
        "orange": "orange, orangefarben~, orangen~",
        "yellow": "gelb~, golden~, goldgelb~, hellgelb~",
        "green": "grün~, hellgrün~, dunkelgrün~",
        "turquoise": "türkis, türkis~, türkisfarben~",
        "blue": "blau~, hellblau~, dunkelblau~, himmelblau~",
        "purple": "lila, violett~, lilafarben~",
        "pink": "rosa, pink, rosarot~, rosafarben~, pinke, pinker, pinkes",
        "white": "weiß~, schneeweiß~",
        "black": "schwarz~",
    },
    "size": {
        "small": "klein~, winzig~",
        "medium": "mittelgroß~",
        "large": "groß~, riesig~, gewaltig~",
    },
    "motion": {
        "bounces": """auf und ab, hüpft, hüpfend, springt, springend, springt auf und ab, hüpft auf und ab,
            springt herum, springend~, hüpfend~""",
        "rolls": "rollt, rollend, rollend~",
        "falls": """herunter, hinunter, herab, runter, zu boden, fällt, fallend, fällt herunter, fällt herab,
            fällt hinunter, fällt runter, stürzt, fallend~, fällt zu boden, fällt um""",
        "floats up": """nach oben, empor, in die höhe, schwebt nach oben, steigt auf, schwebt, schwebend,
            steigt, startet, hebt ab, schwebt auf, steigt empor, fliegt hoch, schwebend~, steigt nach oben, fliegt
            nach oben""",
        "spins": """dreht sich, sich drehend, drehend, rotiert, rotierend, kreiselt, wirbelt, dreht, drehend~,
            rotierend~, dreht sich um sich selbst, dreht sich im kreis""",
        "orbits": """im kreis, in kreisen, kreist, kreisend, fliegt im kreis, schwimmt im kreis, fliegt kreise,
            kreisend~""",
        "crosses": """fährt, fahrend, fliegt, fliegend, schwimmt, schwimmend, segelt, segelnd, zieht vorbei,
            fährt vorbei, fliegt vorbei, schwimmt vorbei, segelt vorbei, vorbei, bewegt sich, fahrend~, fliegend~,
            schwimmend~""",
        "rests": """liegt, liegt still, ruht, steht, steht still, sitzt, liegend, bewegt sich nicht, ruhend,
            stillstehend, liegend~, bleibt stehen""",
    },
    "act": {
        "turns the head": """dreht den kopf, schaut sich um, sieht sich um, blickt sich um, schaut umher, wendet
            den kopf""",
        "nods": "nickt, nickend, nickt mit dem kopf",
        "shakes the head": "schüttelt den kopf, kopfschüttelnd, den kopf schüttelnd",
        "smiles": "lächelt, lächelnd, grinst, lächelnd~",
        "opens the mouth": "öffnet den mund, gähnt, gähnend, macht den mund auf",
        "looks ahead": """schaut geradeaus, blickt geradeaus, schaut in die kamera, blickt in die kamera, schaut
            uns an, sieht in die kamera, schaut nach vorne""",
        "hums": "summt, summend, summt ein lied, summt eine melodie",
        "waves": "winkt, winkend, winkt mit der hand, winkend~",
        "walks": "geht, gehend, läuft, spaziert, spazierend, wandert, schlendert",
        "jumps": "springt, hüpft, springend, springt in die luft, springt auf und ab",
        "dances": "tanzt, tanzend, tanzend~",
        "claps": "klatscht, klatschend, klatscht in die hände, applaudiert",
        "stands": "steht, stehend, steht still, steht da",
    },
    "direction": {
        "-1": "links, nach links, von rechts nach links, linksherum",
        "1": "rechts, nach rechts, von links nach rechts",
    },
    "place": {
        "meadow": "wiese, wiesen, feld, gras, rasen, grünland, graslandschaft",
        "room": "zimmer, raum, wohnzimmer, stube, haus, drinnen, zuhause",
        "desert": "wüste, dünen, sanddünen",
        "snowy mountains": """verschneite berge, verschneiten bergen, berge, bergen, gebirge, schneeberge,
            schneebergen, alpen, schneebedeckte berge, schneebedeckten bergen""",
        "seaside": "strand, meer, ufer, küste, see, sandstrand, ozean, am meer, am strand",
        "night city": "stadt, großstadt, nächtliche stadt, stadt bei nacht, stadt in der nacht, nächtlichen stadt",
        "forest": "wald, wälder, wäldchen, tannenwald, bäumen",
        "outer space": "weltall, weltraum, all, kosmos, universum",
    },
    "weather": {
        "clear": "klarer himmel, klarem himmel, wolkenlos~, klares wetter",
        "rain": "regen, regnet, regnerisch~, es regnet, regnend",
        "snow": "schnee, schneit, schneefall, verschneit~, schneeflocken, es schneit",
        "fog": "nebel, neblig~, nebelig~, dunst",
    },
    "time": {
        "day": "tag, tags, tagsüber, tageslicht, bei tag, am tag, morgens, mittags, morgen",
        "night": "nacht, nachts, bei nacht, in der nacht, abends, mitternacht, abend",
    },
    "sunny": {
        "": "sonnig~, sonnenschein, sonniger tag, sonnigen tag",
    },
    "style": {
        "outlined": "mit umrissen, dicken umrissen, umrisse, umrissen, konturen, mit dicken konturen, dicke konturen",
        "soft": "weich~, weichgezeichnet~, weicher stil, unscharf~, verschwommen~",
    },
    "camera": {
        "still": "feste kamera, kamera steht still, statische kamera, kamera bewegt sich nicht, stehende kamera",
        "pan": "kameraschwenk, schwenk, kamera schwenkt, kamera bewegt sich",
        "zoom in": """kamera zoomt heran, kamera zoomt langsam heran, zoomt heran, heranzoomen, zoom, zoomt,
            kamera zoomt, kamera fährt heran, kamera nähert sich, heran""",
        "zoom out": """kamera fährt zurück, kamera zoomt heraus, zoomt heraus, herauszoomen, kamera entfernt
            sich, heraus""",
    },
    "shot": {
        "portrait": "portrait, porträt, nahaufnahme",
        "figure": "ganzkörper, totale",
    },
    "who": {
        "woman adult": "frau, dame, frauen",
        "man adult": "mann, herr, kerl",
        "woman old": "großmutter, oma, greisin",
        "man old": "großvater, opa, greis",
        "woman child": "mädchen",
        "man child": "junge, bub, knabe, jungen",
        "anyone child": "kind",
        "anyone": "person, jemand, mensch",
    },
    "age": {
        "old": "alt~, älter~, ältere",
        "adult": "jung~",
    },
    "hair": {
        "": "haar, haare, haaren",
        "curly": "locken",
        "bob": "bob",
        "ponytail": "pferdeschwanz, zopf",
        "bun": "dutt, haarknoten",
        "bald": "glatze, keine haare, ohne haare",
    },
    "hair_look": {
        "short": "kurz~",
        "long": "lang~",
        "curly": "lockig~",
        "spiky": "stachlig~, stachelig~",
        "bald": "kahl~, glatzköpfig~",
    },
    "hair_colour": {
        "black": "schwarz~, dunkel~",
        "brown": "braun~, brünett~",
        "blond": "blond~, golden~",
        "red": "rot~",
        "grey": "grau~",
        "white": "weiß~",
    },
    "glasses": {
        "round": "brille",
        "dark": "sonnenbrille",
    },
    "glasses_look": {
        "round": "rund~",
        "square": "eckig~",
    },
    "beard": {
        "full": "bart, vollbart",
        "goatee": "ziegenbart, spitzbart, kinnbart",
    },
    "moustache": {
        "": "schnurrbart, schnauzer",
    },
    "detail": {
        "": "sommersprossen, ohrringe, ohrringen",
    },
    "hat": {
        "cap": "kappe, schirmmütze, baseballkappe",
        "beanie": "mütze, wollmütze",
        "brimmed": "hut",
    },
    "top": {
        "plain": "hemd, pullover, shirt, t shirt, oberteil",
        "striped": "ringelshirt, streifen",
        "collar": "poloshirt, polohemd",
        "dress": "kleid",
    },
    "top_look": {
        "striped": "gestreift~",
    },
    "mood": {
        "": "musik, melodie",
    },
    "no": {
        "": "kein~, ohne, nicht, nie",
    },
}
NEAR: dict[str, str] = {
    "bird": """hund hunde katze katzen pferd kuh schaf schwein löwe tiger bär wolf fuchs hase elefant affe maus
        huhn ente adler biene schmetterling drache tier tiere""",
    "fish": "wal hai delfin krake schlange frosch",
    "car": "fahrrad motorrad lastwagen bus zug traktor",
    "rocket": "flugzeug hubschrauber ufo drohne",
    "ball": "apfel ei mond sonne planet luftballon erde brot kuchen fussball fußball",
    "cube": "buch tisch stuhl tür sofa bett fenster turm haustür computer",
    "triangle": "pyramide zelt dach herz blatt baum besen",
    "star": "blume feuer blitz",
    "woman": "hexe königin prinzessin lehrerin",
    "man": "könig zauberer astronaut koch arzt soldat lehrer",
    "girl": "kinder baby",
    "meadow": "park garten hügel dorf",
    "room": "küche schlafzimmer büro schule",
    "seaside": "fluss teich wasser insel hafen",
    "city": "straße dorf schloss burg brücke",
    "forest": "dschungel urwald",
    "under a clear sky": "himmel",
    "walks right": "rennt rannte joggt reitet",
    "opens her mouth": "spricht redet isst singt trinkt",
    "smiles": "lacht küsst",
    "stands still": "schläft liest schreibt wartet",
    "dances": "spielt kämpft",
    "at night": "sonnenuntergang dämmerung",
    "by day": "sonnenaufgang",
    "orange": "braun brauner braune braunes braunen",
    "white": "grau grauer graue graues silbern silber",
    "simple shapes": "realistisch fotorealistisch",
    "metal": "metall holz gold silber",
    "a": "zwei drei vier fünf viele mehrere",
}
