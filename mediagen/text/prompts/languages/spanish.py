"""Spanish for the words of the world; see `languages`."""

ENDINGS = ("o", "a", "os", "as")
AFTER = True
ARTICLES = "un, una, unos, unas, el, la, los, las, este, esta, ese, esa, su, sus, mi, lo"
PREPOSITIONS = """en, de, del, con, a, al, por, para, hacia, sobre, bajo, entre, desde, contra, tras, junto a,
    al lado de, a través de, encima de, debajo de, cerca de, alrededor de, ante"""
GLUE = """y, e, o, pero, es, está, están, son, que, quien, se, ella, él, hay, yo, me, muy, lentamente, despacio,
    rápido, suavemente, por favor, muestra, haz, crea, vídeo, video, clip, película, escena, imagen, animación, ve,
    ver, quiero, lleva, llevando, vestid~, cámara, color, clar~, oscur~, bonit~, hermos~, mientras, luego, también,
    cabeza, la mano, mismo, misma, exterior, donde, como, allí, aquí, todo, tiempo, hace"""
WORDS: dict[str, dict[str, str]] = {
    "thing": {
        "": "algo, objeto, cosa, forma",
    },
    "kind": {
        "ball": "pelota, pelotas, bola, bolas, esfera, balón",
        "cube": "cubo, cubos, caja, bloque",
        "star": "estrella, estrellas",
        "ring": "anillo, anillos, aro, círculo",
        "triangle": "triángulo, triángulos",
        "car": "coche, coches, carro, auto, automóvil",
        "boat": "barco, barcos, barca, velero, buque",
        "bird": "pájaro, pájaros, ave",
        "fish": "pez, peces, pescado",
        "rocket": "cohete, cohetes, nave espacial, nave",
    },
    "colour": {
        "red": "roj~",
        "orange": "naranja, naranjas, anaranjad~",
        "yellow": "amarill~, dorad~",
        "green": "verde, verdes",
        "turquoise": "turquesa, cian",
        "blue": "azul, azules",
        "purple": "morad~, violeta, púrpura",
        "pink": "rosa, rosas, rosad~",
        "white": "blanc~",
        "black": "negr~",
    },
    "size": {
        "small": "pequeñ~, diminut~, chiquit~",
        "medium": "median~",
        "large": "grande, grandes, gran, enorme, gigante",
    },
    "motion": {
        "bounces": "arriba y abajo, rebota, rebotando, salta, saltando, bota, salta arriba y abajo, brinca",
        "rolls": "rueda, rodando",
        "falls": "cae, cayendo, se cae, cae al suelo",
        "floats up": """hacia arriba, flota hacia arriba, sube, asciende, despega, flota, flotando, sube
            flotando, subiendo, se eleva, ascendiendo, levita""",
        "spins": "gira, girando, rota, da vueltas sobre sí mismo, gira sobre sí mismo, rotando, gira sobre sí misma",
        "orbits": """en círculos, en círculo, vuela en círculos, da vueltas, nada en círculos, orbita, gira en
            círculos, dando vueltas""",
        "crosses": """vuela, volando, nada, nadando, navega, navegando, conduce, pasa, pasando, avanza, cruza,
            circula, se mueve, va, anda, corre por la carretera""",
        "rests": """está quiet~, quiet~, inmóvil, descansa, reposa, está parado, parado, parada, yace, no se
            mueve, se queda quieto""",
    },
    "act": {
        "turns the head": "gira la cabeza, mira alrededor, mira a su alrededor, vuelve la cabeza",
        "nods": "asiente, asintiendo, asiente con la cabeza, dice que sí con la cabeza",
        "shakes the head": "niega con la cabeza, sacude la cabeza, negando con la cabeza",
        "smiles": "sonríe, sonriendo, sonriente",
        "opens the mouth": "abre la boca, bosteza, bostezando",
        "looks ahead": "mira al frente, mira a la cámara, mira hacia adelante, nos mira, mirando a la cámara",
        "hums": "tararea, tarareando, canturrea",
        "waves": "saluda, saludando, saluda con la mano, saludando con la mano",
        "walks": "camina, caminando, pasea, anda, paseando",
        "jumps": "salta, saltando, brinca, salta arriba y abajo",
        "dances": "baila, bailando, danza",
        "claps": "aplaude, aplaudiendo, da palmas",
        "stands": "está de pie, de pie, está parado, parado, parada",
    },
    "direction": {
        "-1": "izquierda, a la izquierda, hacia la izquierda, de derecha a izquierda",
        "1": "derecha, a la derecha, hacia la derecha, de izquierda a derecha",
    },
    "place": {
        "meadow": "prado, pradera, campo, hierba, césped, pasto",
        "room": "habitación, cuarto, sala, salón, casa",
        "desert": "desierto, dunas",
        "snowy mountains": "montañas nevadas, montañas, montaña, sierra, alpes",
        "seaside": "playa, mar, costa, orilla, océano, orilla del mar",
        "night city": "ciudad, ciudad de noche, ciudad nocturna",
        "forest": "bosque, bosques, árboles",
        "outer space": "espacio, espacio exterior, cosmos, universo",
    },
    "weather": {
        "clear": "cielo despejado, despejado",
        "rain": "lluvia, llueve, lloviendo, lluvios~, está lloviendo",
        "snow": "nieve, nieva, nevando, está nevando",
        "fog": "niebla, neblina, bruma, brumos~",
    },
    "time": {
        "day": "día, de día, por el día, mañana, mediodía",
        "night": "noche, de noche, por la noche, medianoche",
    },
    "sunny": {
        "": "solead~, día soleado",
    },
    "style": {
        "outlined": "contornos, contornos gruesos, con contornos, contorno",
        "soft": "suave, suaves, estilo suave, borros~",
    },
    "camera": {
        "still": "cámara fija, plano fijo, cámara quieta",
        "pan": "cámara se mueve, paneo, cámara gira, panorámica",
        "zoom in": "acercamiento, acercamiento a, cámara se acerca, zoom, zoom a, la cámara hace zoom",
        "zoom out": "cámara se aleja, alejamiento",
    },
    "shot": {
        "portrait": "retrato, primer plano",
        "figure": "plano general, cuerpo entero",
    },
    "who": {
        "woman adult": "mujer, señora, dama, mujeres",
        "man adult": "hombre, señor, tipo",
        "woman old": "anciana, abuela, viejecita",
        "man old": "anciano, abuelo, viejo",
        "woman child": "niña, chica",
        "man child": "niño, chico, muchacho",
        "anyone": "persona, alguien",
    },
    "age": {
        "old": "viej~, mayor, ancian~",
        "adult": "joven",
    },
    "hair": {
        "": "pelo, cabello",
        "curly": "rizos",
        "bob": "melena corta",
        "ponytail": "coleta, cola de caballo",
        "bun": "moño",
        "bald": "sin pelo",
    },
    "hair_look": {
        "short": "cort~",
        "long": "larg~",
        "curly": "rizad~",
        "spiky": "de punta, en punta",
        "bald": "calv~",
    },
    "hair_colour": {
        "black": "negr~, oscur~",
        "brown": "castañ~",
        "blond": "rubi~",
        "red": "pelirroj~, roj~",
        "grey": "gris, grises, canos~",
        "white": "blanc~",
    },
    "glasses": {
        "round": "gafas, lentes, anteojos",
        "dark": "gafas de sol, gafas oscuras, lentes de sol",
    },
    "glasses_look": {
        "round": "redond~",
        "square": "cuadrad~",
    },
    "beard": {
        "full": "barba",
        "goatee": "perilla, barba de chivo",
    },
    "moustache": {
        "": "bigote",
    },
    "detail": {
        "": "pecas, pendientes, aretes",
    },
    "hat": {
        "cap": "gorra",
        "beanie": "gorro",
        "brimmed": "sombrero",
    },
    "top": {
        "plain": "camisa, camiseta, jersey, suéter",
        "striped": "rayas, camisa de rayas, a rayas",
        "collar": "polo",
        "dress": "vestido",
    },
    "top_look": {
        "striped": "rayad~",
    },
    "mood": {
        "": "música, melodía",
    },
    "no": {
        "": "sin, no, ningún, ninguna",
    },
}
NEAR: dict[str, str] = {
    "bird": """perro perros gato gatos caballo vaca oveja cerdo león tigre oso lobo zorro conejo elefante mono
        ratón gallina pato águila abeja mariposa dragón animal animales""",
    "fish": "ballena tiburón delfín pulpo serpiente rana",
    "car": "bicicleta moto camión autobús tren tractor",
    "rocket": "avión helicóptero ovni dron",
    "ball": "manzana huevo luna sol planeta globo pan pastel fútbol",
    "cube": "libro mesa silla puerta sofá cama ventana torre",
    "triangle": "pirámide tienda techo corazón hoja árbol escoba",
    "star": "flor fuego rayo",
    "woman": "bruja reina princesa",
    "man": "rey mago astronauta médico soldado cocinero",
    "girl": "niños bebé",
    "meadow": "parque jardín colina pueblo",
    "room": "cocina dormitorio oficina escuela",
    "seaside": "río lago agua isla puerto estanque",
    "city": "calle carretera castillo puente",
    "forest": "selva",
    "under a clear sky": "cielo",
    "walks right": "corre corriendo galopa",
    "opens her mouth": "habla come canta bebe",
    "smiles": "ríe besa",
    "stands still": "duerme lee escribe espera sentado sentada",
    "dances": "juega",
    "at night": "puesta_de_sol atardecer anochecer ocaso",
    "by day": "amanecer",
    "orange": "marrón café",
    "white": "gris plateado",
    "simple shapes": "realista fotorrealista",
    "a": "dos tres cuatro cinco varios varias muchos",
}
