"""What can be chosen of a product: pools of values by name.

Values of one pool never count as the same under the reward's fuzzy comparison, and each counts as itself under WebShop's
rules too (which take "standard" for tan): a test tries all of them. So sizes are "xl", not "x-large", which holds "large".
"""

from __future__ import annotations


def _pool(text: str) -> tuple[str, ...]:
    return tuple(value.strip() for value in text.split(","))


POOLS: dict[str, tuple[str, ...]] = {
    # colours
    "cloth": _pool(
        "black, white, navy, heather gray, burgundy, olive, khaki, royal blue, pink, red, mustard, teal, lavender, charcoal, "
        "coral, beige, brown"
    ),
    "denim": _pool("black, blue, white, gray, indigo, khaki, dark rinse, charcoal"),
    "leather": _pool("black, brown, cognac, tan, burgundy, navy, gray, olive, red"),
    "device": _pool("black, white, silver, space gray, rose, midnight, teal, red, navy, purple"),
    "metal": _pool("silver, gold, rose, black, copper, white"),
    "home": _pool(
        "white, ivory, gray, navy, sage leaf, teal, mustard, rust, charcoal, blush, terracotta, beige, burgundy, olive, black"
    ),
    "wood": _pool("walnut, natural oak, white, black, espresso, gray, cherry"),
    "lips": _pool("ruby, nude, coral, berry kiss, mauve, plum, brick, pink, cranberry, peach"),
    "skin": _pool("porcelain, ivory, beige, honey tone, caramel, chestnut, espresso, deep cocoa"),
    "hair": _pool("jet black, chestnut, honey blonde, auburn, burgundy, platinum, copper"),
    # scents and flavours
    "home scent": _pool(
        "lavender, vanilla bean, fresh linen, cinnamon stick, ocean breeze, eucalyptus, jasmine, pumpkin spice, citrus grove, "
        "cedar forest, honeysuckle, amber glow, unscented"
    ),
    "body scent": _pool(
        "lavender, coconut milk, citrus burst, vanilla bean, eucalyptus, jasmine, shea butter, green tea, unscented, rose, "
        "wild fig"
    ),
    "perfume": _pool(
        "jasmine night, amber wood, citrus grove, rose, vanilla musk, wild fig, sea salt, violet"
    ),
    "sweet": _pool(
        "vanilla, chocolate, strawberry, salted caramel, peanut butter, cinnamon, maple pecan, coconut, lemon, cookie dough"
    ),
    "savory": _pool(
        "sea salt, barbecue, jalapeno, cheddar, sour onion, honey dijon, black pepper, garlic herb, smoky paprika, teriyaki"
    ),
    "fruit": _pool(
        "mango, strawberry, watermelon, lime, cherry, peach, pineapple, passion fruit, orange, green apple"
    ),
    "coffee": _pool("house blend, french roast, hazelnut, caramel, vanilla, mocha, decaf, breakfast blend"),
    "tea": _pool("jasmine, earl style, ginger, peach, chai, mint, turmeric, chamomile, hibiscus"),
    "spice": _pool(
        "smoked paprika, garlic pepper, taco night, curry, lemon herb, cajun, thyme salt, five spice"
    ),
    "sauce": _pool("mild, habanero, chipotle, ghost pepper, garlic, mango, cayenne"),
    "mint": _pool("cool mint, cinnamon, menthol, bubblegum, charcoal, clove"),
    # sizes
    "letters": _pool("xs, s, m, l, xl, xxl, 3xl"),
    "waist": _pool("28x30, 30x32, 32x34, 34x30, 36x32, 38x34, 40x30"),
    "shoes": _pool("5, 6, 7, 8, 9, 10, 11, 12"),
    "kids": _pool("2t, 3t, 4t, 5t, 6y, 8y"),
    "ounces": _pool("4oz, 8oz, 16oz, 32oz"),
    "pounds": _pool("8 ounce, half pound, 1 lb, 2 lb, 5 lb"),
    "fluid": _pool("30ml, 100ml, 250ml, 1 liter"),
    "bed": _pool("twin, full, queen, king, california"),
    "rug": _pool("2x3, 3x5, 4x6, 5x8, 8x10, 9x12"),
    "frame": _pool("8x10, 11x14, 16x20, 24x36, 30x40"),
    "pillow": _pool("16x16, 18x18, 20x20, 12x20, 24x24"),
    "panel": _pool("42x63, 52x84, 52x95, 52x108, 42x45"),
    "inch": _pool("6 in, 8 in, 10 in, 12 in, 14 in"),
    "screen": _pool("22in, 24in, 27in, 32in, 43in"),
    "laptop": _pool("11in, 13in, 14in, 15in, 17in"),
    "cable": _pool("3ft, 6ft, 10ft, 15ft, 25ft"),
    "hose": _pool("25 ft, 50 ft, 75 ft, 100 ft"),
    "lights": _pool("33 ft, 50 ft, 66 ft, 100 ft"),
    "storage": _pool("32gb, 64gb, 128gb, 256gb, 512gb"),
    "disk": _pool("500gb, 1tb, 2tb, 4tb, 5tb"),
    "power": _pool("5000mah, 10000mah, 26800mah"),
    "band": _pool("38mm, 42mm, 45mm, 49mm"),
    "chain": _pool("14in, 16in, 18in, 20in, 24in"),
    "length": _pool("ankle, crew, knee high, no show"),
    # counts and styles
    "packs": _pool("single, 2 pack, 3 pack, 4 pack, 6 pack"),
    "counts": _pool("6ct, 12ct, 20ct, 45ct, 100ct"),
    "pieces": _pool("2pc, 4pc, 6pc, 8pc, 15pc"),
    "seats": _pool("loveseat, sofa, sectional, sleeper"),
    "phone": _pool("zenith 12, zenith 13 mini, orbit s20, orbit s21 ultra, pixelon 6, nova lite"),
    "switches": _pool("linear switches, tactile switches, clicky switches"),
    "bristles": _pool("soft, medium, firm"),
    "grind": _pool("whole bean, coarse, medium, fine, espresso"),
    "fit": _pool("petite, regular, tall, plus"),
    "edge": _pool("framed, canvas wrap, poster, floating"),
    "shape": _pool("round, square, oval, oblong, hexagon"),
    "roast": _pool("mild roast, medium roast, bold roast"),
    "heat": _pool("mild, medium, hot, fiery"),
    "finish": _pool("matte, satin, glossy, shimmer"),
    "plug": _pool("american, european, british"),
}
"""Pool to its values. A kind of product says which pool each of its options takes ("color=cloth")."""

SAMPLED = frozenset(("color", "scent", "flavor", "style", "model", "finish"))
"""Options of which a product has any values; of others (sizes, counts) it has neighbours."""
