"""Everyday activities, one row each: what it is called, what it takes, and what is true when it is done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """Something that an activity takes.

    Attributes:
        of: sorts of things (`SORTS`) or classes, parted by commas.
        least, most: how many of them.
        near: another role, or "": it stands in the room of that.
    """

    of: str
    least: int = 1
    most: int = 1
    near: str = ""


@dataclass(frozen=True)
class Activity:
    """One row of the table.

    Attributes:
        names: what it is called, as one would tell it to somebody; the first is its name.
        roles: what it takes, by name; those of which there is one come first.
        conditions: predicates of `records.Goal` with roles in place of entities, parted by blanks; "me" is who does it.
        weight: how often it is drawn where it is offered; less for what nearly every house offers.
    """

    names: tuple[str, ...]
    roles: dict[str, Role]
    conditions: tuple[str, ...]
    weight: float = 1.0

    @property
    def name(self) -> str:
        """What it is called first of all."""
        return self.names[0]


SORTS: dict[str, str] = {
    "dishes": "bowl, bread knife, butter knife, chopstick, coaster, cup, cutting board, fork, glass, goblet, grater, jar, "
    "kettle, knife, ladle, mug, pan, paring knife, pitcher, plate, platter, pot, saucer, spatula, spoon, teapot, tray, "
    "whisk, wok",
    "tableware": "bowl, butter knife, candle, chopstick, coaster, cup, fork, glass, goblet, kettle, knife, mug, napkin, "
    "pitcher, plate, platter, saucer, spoon, tablecloth, teapot, tray, vase",
    "plates": "cutting board, plate, platter, tray",
    "cups": "cup, glass, goblet, jar, mug, teapot",
    "pots": "kettle, pan, pot, wok",
    "clothes": "CLOTHES",
    "laundry": "CLOTHES, COVER_OBJECT washable, HANGABLE",
    "bedding": "blanket, duvet, pillow, quilt",
    "food": "EATABLE",
    "drinks": "DRINKABLE",
    "reading": "READABLE",
    "papers": "brochure, calendar, clipboard, envelope, binder, folder, magazine, map, notebook, passport, postcard, receipt, "
    "ticket",
    "letters": "brochure, envelope, magazine, menu, newspaper, postcard, receipt, ticket",
    "pens": "crayon, highlighter, marker, pen, pencil",
    "bags": "backpack, bag, basket, box, bucket, crate, tub",
    "tools": "axe, chisel, crowbar, drill, hacksaw, hammer, hinge, leaf blower, nail, padlock, pocket knife, rake, screw, "
    "screwdriver, shovel, trowel, wrench",
    "toys": "ball, doll, domino, jump rope, kite, marble, playing card, puzzle, skateboard, teddy bear, toy car, whistle",
    "toiletries": "bandage, brush, comb, lipstick, lotion, moisturizer, razor, shampoo, soap, sunscreen, thermometer, "
    "toothbrush, toothpaste",
    "valuables": "bracelet, camera, coin, key, laptop, locket, medal, necklace, passport, phone, purse, ring, tablet, trophy, "
    "wallet, watch",
    "tables": "coffee table, dining table, garden table, kitchen island, kitchen table, picnic table",
    "desks": "desk, dining table, kitchen table, workbench",
    "worktops": "coffee table, counter, dining table, kitchen island, kitchen table, serving cart, sideboard, windowsill, "
    "shelf, workbench",
    "seats": "SITTABLE furniture",
    "couches": "hammock, loveseat, recliner, rug, sofa, bench",
    "wardrobes": "chest, dresser, drawer, locker, shoe cabinet, trunk, wardrobe",
    "cupboards": "cabinet, china cabinet, cupboard, locker, shed, chest, trunk",
    "lights": "ceiling light, chandelier, lamp, lantern",
    "devices": "HAS_SWITCH furniture",
    "surfaces": "SURFACES furniture",
}
"""Sorts to classes, or to properties (in capitals; with "furniture" or "washable" after it, of those alone)."""


def _put_away(*names: str, things: str, into: str, most: int = 3) -> Activity:
    """Things are put into something, which is then closed."""
    roles = {"place": Role(into), "thing": Role(things, 1, most)}
    return Activity(names, roles, ("INSIDE thing place", "STATE:closed place"))


def _run(*names: str, machine: str, things: str, most: int = 2) -> Activity:
    """Things are put into a machine, which is then closed and switched on."""
    roles = {"machine": Role(machine), "thing": Role(things, 1, most)}
    return Activity(names, roles, ("INSIDE thing machine", "STATE:closed machine", "STATE:on machine"))


def _rest(*names: str, device: str) -> Activity:
    """A device is on, and one sits in its room."""
    roles = {"device": Role(device), "seat": Role("seats", near="device")}
    return Activity(names, roles, ("STATE:on device", "ON me seat"))


ACTIVITIES: tuple[Activity, ...] = (
    # Meals
    Activity(
        ("set the table", "lay the table", "get the table ready for a meal"),
        {"table": Role("tables"), "dish": Role("tableware", 2, 3)},
        ("ON dish table",),
    ),
    Activity(
        ("serve a meal", "bring something to eat to the table", "dish up"),
        {"table": Role("tables"), "plate": Role("plates"), "food": Role("food")},
        ("ON plate table", "ON food plate"),
    ),
    Activity(
        ("cook something", "cook a meal", "make a warm meal"),
        {"stove": Role("stove"), "pot": Role("pots"), "food": Role("food")},
        ("INSIDE food pot", "ON pot stove", "STATE:on stove"),
    ),
    Activity(
        ("make coffee", "brew some coffee", "get the coffee going"),
        {
            "machine": Role("coffee maker"),
            "top": Role("worktops", near="machine"),
            "cup": Role("cups"),
        },
        ("STATE:on machine", "ON cup top"),
    ),
    Activity(
        ("make toast", "make some toast", "get the toast going"),
        {"toaster": Role("toaster"), "top": Role("worktops", near="toaster"), "food": Role("food")},
        ("STATE:on toaster", "ON food top"),
    ),
    Activity(
        ("have a picnic", "eat in the garden", "have a meal outdoors"),
        {
            "table": Role("picnic table, garden table"),
            "seat": Role("seats", near="table"),
            "food": Role("food, drinks", 1, 2),
        },
        ("ON food table", "ON me seat"),
    ),
    Activity(
        ("have a drink", "sit down with a drink", "take a break with a drink"),
        {"seat": Role("seats"), "drink": Role("drinks")},
        ("HOLDS me drink", "ON me seat"),
    ),
    Activity(
        ("pack a lunch", "pack something to eat", "get a lunch ready to take along"),
        {"box": Role("lunch box, backpack, bag, basket, purse, bucket, box"), "food": Role("food", 1, 2)},
        ("INSIDE food box",),
    ),
    _run("bake something", "use the oven to bake", "do some baking", machine="oven", things="food"),
    _run("warm up some food", "heat up something to eat", "use the microwave", machine="microwave",
         things="food, drinks", most=1),
    # Dishes and groceries
    _put_away("put the groceries away", "store the groceries", "put the shopping away",
              things="food, drinks", into="fridge, freezer, cupboard"),
    _put_away("put the dishes away", "tidy the dishes away", "store the dishes",
              things="dishes", into="cabinet, china cabinet, cupboard"),
    Activity(
        ("wash the dishes", "do the dishes", "do the washing up"),
        {"sink": Role("sink"), "dish": Role("dishes", 1, 2)},
        ("INSIDE dish sink", "STATE:clean dish"),
    ),
    _run("run the dishwasher", "let the dishwasher do the dishes", "load and start the dishwasher",
         machine="dishwasher", things="dishes", most=3),
    # Clothes
    _run("do the laundry", "wash the clothes", "do the washing", machine="washing machine",
         things="laundry", most=3),
    _run("dry the laundry", "dry the clothes", "tumble the clothes dry", machine="dryer",
         things="laundry", most=3),
    Activity(
        ("hang up the washing", "hang the laundry up to dry", "put the washing out to dry"),
        {"rack": Role("drying rack"), "thing": Role("laundry", 1, 3)},
        ("ON thing rack",),
    ),
    Activity(
        ("get the ironing ready", "lay out the ironing", "put the clothes out for ironing"),
        {"board": Role("ironing board"), "thing": Role("laundry", 1, 3)},
        ("ON thing board",),
    ),
    _put_away("put the clothes away", "tidy the clothes away", "sort the clothes in",
              things="clothes", into="wardrobes"),
    Activity(
        ("get dressed", "put some clothes on", "dress to go out"),
        {"thing": Role("clothes", 1, 2)},
        ("ON thing me",),
        weight=0.5,
    ),
    # Tidying up
    Activity(
        ("make the bed", "get the bed ready", "put the bedding on the bed"),
        {"bed": Role("bed"), "thing": Role("bedding", 1, 2)},
        ("ON thing bed",),
    ),
    Activity(
        ("make the bedroom tidy", "tidy up the bedroom", "clear up the bedroom"),
        {
            "bedroom": Role("bedroom"),
            "place": Role("wardrobe, dresser, drawer, trunk", near="bedroom"),
            "thing": Role("clothes, reading, toys", 2, 3),
        },
        ("INSIDE thing place", "STATE:closed place"),
    ),
    _put_away("put the toys away", "tidy the toys away", "clear up the toys",
              things="toys", into="chest, trunk, wardrobe, drawer, shed"),
    _put_away("put the tools away", "tidy the tools away", "clear up the tools",
              things="tools", into="locker, shed, trunk, cupboard"),
    _put_away("put the toiletries away", "tidy the bathroom things away", "clear the washstand",
              things="toiletries", into="medicine cabinet, cabinet"),
    _put_away("file the papers", "put the papers in order", "tidy the papers away",
              things="papers", into="filing cabinet, drawer"),
    _put_away("lock the valuables away", "put the valuables in a safe place", "keep the valuables safe",
              things="valuables", into="safe"),
    Activity(
        ("throw the rubbish away", "take out the trash", "get rid of the rubbish"),
        {"bin": Role("trash can, wastebasket"), "thing": Role("food, letters, tissue, toilet paper", 1, 3)},
        ("INSIDE thing bin",),
    ),
    Activity(
        ("clean the furniture", "wipe the furniture", "do the dusting"),
        {"top": Role("surfaces", 2, 3)},
        ("STATE:clean top",),
        weight=0.2,
    ),
    Activity(
        ("vacuum the floor", "do the vacuuming", "use the vacuum cleaner"),
        {"cleaner": Role("vacuum cleaner")},
        ("STATE:plugged_in cleaner", "STATE:on cleaner"),
    ),
    # Letters, lights, the garden
    Activity(
        ("write a letter", "get ready to write", "write something down"),
        {"desk": Role("desks"), "pen": Role("pens"), "paper": Role("papers, letters")},
        ("ON pen desk", "ON paper desk"),
    ),
    _put_away("post the letters", "send the mail", "take the letters to the mailbox",
              things="letters", into="mailbox"),
    Activity(
        ("light the house", "turn on the lights", "make it bright"),
        {"light": Role("lights", 1, 3)},
        ("STATE:on light",),
    ),
    Activity(
        ("save electricity", "switch everything off", "turn off what is not needed"),
        {"device": Role("devices", 2, 3)},
        ("STATE:off device",),
        weight=0.4,
    ),
    Activity(
        ("water the garden", "give the garden some water", "see to the garden"),
        {"garden": Role("garden"), "water": Role("sprinkler, faucet", near="garden")},
        ("AT me garden", "STATE:on water"),
    ),
    # Rest
    _rest("watch television", "watch a programme", "relax in front of the television",
          device="television, projector"),
    _rest("listen to music", "put some music on", "relax to some music", device="radio, stereo"),
    Activity(
        ("work at the computer", "do some work at the computer", "use the computer"),
        {"room": Role("home office"), "computer": Role("computer", near="room")},
        ("AT me room", "STATE:on computer"),
    ),
    _rest("cool off", "get some cool air", "escape the heat", device="fan, air conditioner"),
    _rest("warm up", "get warm", "sit down where it is warm", device="heater"),
    Activity(
        ("read something", "read for a while", "sit down to read"),
        {"seat": Role("seats"), "text": Role("reading")},
        ("HOLDS me text", "ON me seat"),
    ),
    Activity(
        ("take a bath", "have a bath", "sit in the bathtub"),
        {"tub": Role("bathtub")},
        ("ON me tub", "STATE:sitting me"),
    ),
    Activity(
        ("take a nap", "have a nap", "lie down for a while"),
        {"couch": Role("couches")},
        ("ON me couch", "STATE:lying me"),
        weight=0.4,
    ),
    Activity(
        ("go to bed", "go to sleep", "turn in for the night"),
        {"bed": Role("bed")},
        ("ON me bed", "STATE:lying me"),
    ),
)  # fmt: skip
