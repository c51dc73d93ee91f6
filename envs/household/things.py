"""What a character can carry: classes grouped by what they have in common, in each group by split and by size.

`vocabulary.py` makes ObjectClass of these rows. No word is used in two splits but "knife", for which VirtualHome asks
by name: its CUT needs a thing whose class contains the word. No object is named in the name of a piece of furniture,
which all splits share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Group:
    """Classes with the same properties that are found in the same rooms.

    Attributes:
        properties: parted by blanks; what all have is left out: GRABBABLE, and of vessels CONTAINERS and RECIPIENT.
        rooms: parted by commas.
        train, validation, heldout: size to classes, parted by commas.
        washable: they may be dirty at first.
        vessel: they are always open and take anything smaller than themselves.
    """

    properties: str
    rooms: str
    train: Mapping[int, str] = field(default_factory=dict)
    validation: Mapping[int, str] = field(default_factory=dict)
    heldout: Mapping[int, str] = field(default_factory=dict)
    washable: bool = False
    vessel: bool = False


# Names are things one can count, for "a banana" to be English: "bread knife", not "bread"; no "pliers".
GROUPS: tuple[Group, ...] = (
    # Food and drink
    Group(
        "EATABLE CUTTABLE",
        "kitchen, pantry",
        train={
            1: "banana, orange, pear, carrot, potato, plum, mango, cucumber, mushroom, avocado",
            2: "pumpkin, papaya, cabbage, watermelon",
        },
        validation={1: "peach, tomato, leek", 2: "coconut"},
        heldout={1: "apple, lime, lemon, onion, apricot, radish, zucchini", 2: "cauliflower"},
    ),
    Group(
        "EATABLE CUTTABLE",
        "kitchen, dining room",
        train={1: "sandwich, bagel, sausage, hamburger", 2: "cake, pizza"},
        validation={1: "waffle"},
        heldout={1: "muffin, burrito", 2: "pie, omelet"},
    ),
    Group(
        "EATABLE",
        "kitchen, pantry, dining room",
        train={1: "egg, cookie, grape, cherry, cracker, peanut, donut"},
        validation={1: "raspberry, lollipop"},
        heldout={1: "pretzel, olive, walnut"},
    ),
    Group(
        "DRINKABLE POURABLE",
        "kitchen, dining room, pantry",
        train={1: "espresso, tea, soda, milkshake, orange juice", 2: "beer"},
        validation={1: "smoothie, cider"},
        heldout={1: "cocktail, wine", 2: "champagne"},
    ),
    # Dishes
    Group(
        "",
        "kitchen, dining room",
        train={1: "spoon, fork, bread knife, butter knife, ladle, whisk"},
        validation={1: "knife, chopstick"},
        heldout={1: "paring knife, spatula", 2: "rolling pin, grater"},
        washable=True,
    ),
    Group(
        "SURFACES",
        "kitchen, dining room",
        train={1: "saucer", 2: "plate, cutting board"},
        validation={2: "platter"},
        heldout={1: "coaster", 2: "tray"},
        washable=True,
    ),
    Group(
        "",
        "kitchen, dining room",
        train={2: "bowl, mug, jar, glass, pitcher, teapot", 3: "pot"},
        validation={2: "cup, goblet", 3: "wok"},
        heldout={2: "pan, kettle"},
        washable=True,
        vessel=True,
    ),
    # Other vessels
    Group(
        "",
        "garage, hallway, pantry, bedroom",
        train={2: "lunch box", 3: "box, bag, backpack"},
        validation={2: "purse", 3: "basket"},
        heldout={3: "bucket, crate, tub"},
        vessel=True,
    ),
    Group("", "garden, living room", heldout={2: "vase, watering can"}, vessel=True),
    # Clothes and cloth
    Group(
        "CLOTHES HANGABLE",
        "bedroom, laundry room, hallway",
        train={
            1: "sock, glove, tie, belt",
            2: "shirt, hat, jacket, parka, dress, skirt, cap, loafer, slipper, bathrobe, hoodie",
        },
        validation={2: "scarf, cardigan, sneaker"},
        heldout={1: "mitten", 2: "boot, sweater, blouse, poncho, swimsuit"},
        washable=True,
    ),
    Group("CLOTHES HANGABLE", "kitchen, pantry", train={2: "apron"}, heldout={1: "oven mitt"}, washable=True),
    Group(
        "HANGABLE COVER_OBJECT", "bathroom, laundry room", train={1: "washcloth", 2: "towel"}, washable=True
    ),
    Group(
        "COVER_OBJECT",
        "bedroom, living room, laundry room",
        train={1: "napkin", 2: "tablecloth", 3: "blanket"},
        validation={3: "quilt"},
        heldout={1: "handkerchief", 3: "duvet"},
        washable=True,
    ),
    Group("", "bedroom, living room", train={3: "pillow"}, washable=True),
    Group("", "bedroom, bathroom", train={1: "necklace, bracelet"}, heldout={1: "ring, locket"}),
    Group("LOOKABLE", "bedroom, bathroom", train={2: "mirror"}, validation={1: "watch"}),
    # Paper
    Group(
        "READABLE HAS_PAPER",
        "living room, home office, bedroom",
        train={
            1: "menu, postcard, receipt",
            2: "newspaper, notebook, book, dictionary, cookbook, novel, calendar",
        },
        validation={1: "ticket", 2: "magazine"},
        heldout={1: "envelope, brochure, passport", 2: "diary, map"},
    ),
    Group(
        "LOOKABLE",
        "living room, bedroom, hallway",
        train={2: "picture frame, clock, photo album"},
        validation={1: "medal"},
        heldout={1: "figurine", 2: "trophy"},
    ),
    Group(
        "",
        "home office, bedroom",
        train={1: "pen, eraser, stapler, crayon, marker, stamp, paper clip, glue stick"},
        validation={1: "pencil"},
        heldout={1: "highlighter, thumbtack", 2: "ruler"},
    ),
    Group("HAS_PAPER", "home office", train={2: "folder, clipboard"}, validation={2: "binder"}),
    # Tools and what keeps a house
    Group(
        "",
        "garage, garden",
        train={1: "nail, screw, pocket knife", 2: "hammer, screwdriver, hacksaw, trowel", 3: "shovel, rake"},
        validation={1: "padlock", 2: "chisel"},
        heldout={1: "hinge", 2: "wrench, axe, crowbar"},
    ),
    Group("HAS_SWITCH", "garage, hallway", train={1: "flashlight", 2: "drill"}, heldout={2: "leaf blower"}),
    Group(
        "",
        "laundry room, pantry, bathroom",
        train={1: "sponge, clothespin", 2: "coat hanger", 3: "broom"},
        validation={3: "mop"},
        heldout={2: "plunger, squeegee"},
    ),
    Group("POURABLE", "laundry room, kitchen", train={2: "detergent, dish soap"}, validation={2: "bleach"}),
    Group(
        "",
        "hallway, living room",
        train={1: "key, wallet, candle, coin, battery, light bulb", 2: "bottle"},
        heldout={1: "lighter"},
    ),
    # Toys and games
    Group(
        "MOVABLE",
        "bedroom, living room, garden",
        train={1: "toy car, playing card", 2: "ball, puzzle, kite, teddy bear, jump rope", 3: "guitar"},
        validation={2: "doll"},
        heldout={1: "marble, domino, whistle", 2: "skateboard"},
    ),
    # Toiletries
    Group(
        "",
        "bathroom, bedroom",
        train={1: "toothbrush, comb, razor, lipstick, soap, thermometer"},
        heldout={1: "brush, bandage"},
    ),
    Group(
        "CREAM POURABLE",
        "bathroom",
        train={1: "toothpaste, lotion, shampoo"},
        validation={1: "sunscreen"},
        heldout={1: "moisturizer"},
    ),
    Group("HAS_PAPER COVER_OBJECT", "bathroom", train={1: "toilet paper, tissue"}),
    Group("HAS_SWITCH", "bathroom, laundry room", train={2: "iron"}, heldout={2: "hair dryer"}),
    # Electronics
    Group(
        "HAS_SWITCH",
        "home office, living room, bedroom",
        train={
            1: "calculator, webcam",
            2: "remote control, speaker, keyboard, alarm clock, game controller",
        },
        validation={2: "drone"},
        heldout={1: "phone", 2: "camera, headset"},
    ),
    Group(
        "HAS_SWITCH LOOKABLE",
        "home office, living room, bedroom",
        train={2: "tablet"},
        validation={1: "stopwatch"},
        heldout={2: "laptop"},
    ),
    Group("", "home office, bedroom", train={1: "charger, adapter"}),
)
