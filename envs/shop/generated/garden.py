"""Kinds of the department of home and garden."""

from worldschool.envs.shop.generated.kinds import Row, family

GARDEN = (
    *family(
        "garden",
        "Home & Kitchen › Home Décor",
        is_="handmade; eco friendly; easy clean; gift ready",
        uses="living room, bedroom, bathroom, office, entryway",
        rows=(
            Row("candle, jar candle, scented candle", "Candles", (8, 52), "candle", made="soy wax / beeswax / coconut wax", is_="long lasting; hand poured; lead free; smoke free", has="*cotton wick / *wooden wick; essential oils", options="scent=home scent, size=ounces, pack=packs"),
            Row("reed diffuser, scent diffuser", "Diffusers", (11, 62), "diffuser", made="natural rattan / frosted glass", is_="long lasting; alcohol free; refillable", has="essential oils", options="scent=home scent, size=fluid"),
            Row("wall art, canvas wall print", "Wall Art", (14, 140), "picture", made="cotton canvas / solid wood / tempered glass", is_="ready hang; fade resistant; hand painted", options="size=frame, style=edge", article="some"),
            Row("wall clock, decorative clock", "Clocks", (13, 90), "clock", made="solid wood / brushed metal / acrylic", is_="battery operated; silent; wall mounted", has="arabic numerals / roman numerals", options="color=wood, size=inch"),
            Row("mirror, wall mirror", "Mirrors", (24, 210), "mirror", made="tempered glass / brushed metal / solid wood", is_="wall mounted; shatterproof; full length", has="*beveled edge; LED lights", options="color=metal, style=shape"),
            Row("picture frame, photo frame", "Frames", (8, 54), "picture", made="solid wood / brushed metal / acrylic", is_="wall mounted; tabletop ready", has="*tempered glass front; *mat board", options="color=wood, size=frame, pack=packs"),
            Row("area rug, floor carpet", "Rugs", (28, 320), "rug", made="wool / jute / polypropylene / cotton", is_="non slip; machine washable; stain resistant; pet friendly; low pile / high pile", options="color=home, size=rug"),
        ),
    ),
    *family(
        "garden",
        "Home & Kitchen › Bedding & Bath",
        made="cotton / linen / microfiber / bamboo viscose",
        is_="machine washable; fade resistant; hypoallergenic; super soft; wrinkle resistant",
        options="color=home",
        uses="bedroom, guest room, dorm, living room, kids",
        rows=(
            Row("throw blanket, fleece blanket", "Blankets & Throws", (14, 96), "blanket", made="fleece / sherpa / cotton / chenille", is_="lightweight / weighted; reversible", has="*tassel fringe", options="size=bed"),
            Row("pillow cover, decorative pillow case", "Decorative Pillows", (8, 44), "pillow", made="velvet / linen / faux fur / corduroy", has="*hidden zipper; *geometric pattern / *floral print", options="size=pillow, pack=packs"),
            Row("sheet set, bed sheet set", "Sheets", (20, 150), "bed", made="egyptian cotton / microfiber / bamboo viscose / linen", is_="cooling; breathable", has="deep pockets; *elastic corner strap", options="size=bed"),
            Row("comforter, quilted comforter", "Comforters", (32, 190), "bed", is_="all season; reversible; cooling", has="corner loops; *box stitch", options="size=bed"),
            Row("towel set, bath towel set", "Towels", (16, 86), "towel", made="egyptian cotton / turkish cotton / microfiber", is_="quick drying; highly absorbent; lint free", has="hanging loops", options="count=pieces"),
            Row("shower curtain, bathroom curtain", "Shower Curtains", (11, 52), "curtain", made="polyester / peva / linen", is_="water repellent; mildew resistant", has="rustproof grommets; *weighted hem; *floral print / *geometric pattern"),
            Row("window curtains, curtain panels", "Window Treatments", (16, 110), "curtain", made="polyester / linen / velvet", is_="thermal insulated; noise reducing; blackout / sheer", has="*rod pocket / grommet tops", options="size=panel", article=""),
        ),
    ),
    *family(
        "garden",
        "Home & Kitchen › Furniture",
        made="solid wood / engineered wood / stainless steel",
        is_="easy assemble / fully assembled; space saving; heavy duty; mid century; scratch resistant",
        options="color=wood",
        uses="living room, dining room, bedroom, small spaces, home office",
        rows=(
            Row("coffee table, cocktail table", "Tables › Coffee Tables", (69, 420), "table", made="solid wood / engineered wood / tempered glass", has="storage space; *metal frame; *lift top", options="style=shape"),
            Row("bookshelf, bookcase", "Bookcases", (45, 290), "shelf", is_="wall mounted / freestanding", has="storage space; *metal frame; adjustable shelves", query="bookshelves"),
            Row("office chair, desk chair", "Chairs › Office", (69, 380), "chair", made="mesh / vegan leather / linen fabric", is_="ergonomic; height adjustable", has="lumbar support; *padded armrest; *tilt lock", options="color=home"),
            Row("bar stool, counter stool", "Chairs › Stools", (48, 260), "stool", made="vegan leather / solid wood / velvet", is_="height adjustable; swivel", has="*metal frame; *foot rest; *low back", options="count=pieces"),
            Row("sofa, modern couch", "Sofas", (240, 980), "sofa", made="velvet / linen fabric / vegan leather", is_="button tufted; high density", has="*solid wood frame; storage space; removable covers", options="color=home, style=seats"),
            Row("nightstand, bedside table", "Bedroom › Nightstands", (38, 230), "nightstand", has="*usb port; *storage drawer; *metal frame", options="count=pieces"),
            Row("ottoman, foot rest stool", "Ottomans", (36, 190), "ottoman", made="velvet / linen fabric / vegan leather", is_="foldable; button tufted", has="storage space; *removable lid", options="color=home, style=shape"),
        ),
    ),
    *family(
        "garden",
        "Home & Kitchen › Lighting",
        is_="energy efficient; dimmable; easy install; battery operated / plug in",
        uses="living room, bedroom, study, patio, kids",
        rows=(
            Row("table lamp, bedside lamp", "Lamps › Table Lamps", (19, 140), "lamp", made="ceramic / frosted glass / brushed metal / rattan", is_="touch controlled", has="*usb port; *linen shade / *glass shade", options="color=home, pack=packs"),
            Row("floor lamp, standing lamp", "Lamps › Floor Lamps", (35, 220), "floorlamp", made="brushed metal / solid wood / rattan", is_="height adjustable", has="*remote control; *linen shade / *glass shade", options="color=metal"),
            Row("string lights, fairy lights", "Outdoor Lighting", (9, 58), "lights", made="copper wire / shatterproof plastic", is_="solar powered; waterproof", has="*remote control; LED bulbs; *timer function", options="length=lights, color=metal", article=""),
        ),
    ),
    *family(
        "garden",
        "Home & Kitchen › Kitchen & Dining",
        is_="dishwasher safe; easy clean; eco friendly; gift ready",
        uses="kitchen, camping, office, families, gifts",
        rows=(
            Row("frying pan, skillet", "Cookware › Pans", (17, 130), "pan", made="cast iron / stainless steel / ceramic / hard anodized aluminum", is_="oven safe; induction ready; non stick", has="*glass lid; *heat resistant handle", options="size=inch, color=metal"),
            Row("knife set, kitchen knife set", "Cutlery › Knives", (22, 190), "knife", made="stainless steel / carbon steel / ceramic", is_="full tang; rust resistant", has="*wooden block; *ergonomic handle", options="count=pieces"),
            Row("cutting board, chopping board", "Utensils › Boards", (10, 70), "board", made="bamboo / acacia wood / walnut wood", is_="reversible; knife friendly; BPA free", has="*juice groove; side handles", options="size=inch"),
            Row("mug, coffee mug", "Drinkware › Mugs", (8, 40), "mug", made="ceramic / stoneware / borosilicate glass", is_="microwave safe; double walled; lead free", has="*bamboo lid; *large handle", options="color=home, count=pieces"),
            Row("water bottle, insulated bottle", "Drinkware › Bottles", (10, 52), "waterbottle", made="stainless steel / tritan plastic / borosilicate glass", is_="leak proof; vacuum insulated; BPA free", has="*straw lid / *flip lid; *carry handle", options="color=device, size=ounces"),
        ),
    ),
    *family(
        "garden",
        "Patio, Lawn & Garden",
        is_="weather resistant; heavy duty; uv resistant; rust resistant",
        uses="patio, backyard, balcony, indoor plants, deck",
        rows=(
            Row("planter, flower pot", "Gardening › Pots", (9, 88), "planter", made="ceramic / terracotta clay / recycled plastic", is_="self watering; handmade", has="drainage holes; *bamboo stand", options="color=home, size=inch, pack=packs"),
            Row("garden hose, water hose", "Gardening › Hoses", (19, 92), "hose", made="rubber / latex / stainless steel", is_="expandable; kink free; lead free; lightweight", has="brass fittings; *spray nozzle", options="length=hose"),
            Row("patio umbrella, outdoor umbrella", "Umbrellas", (39, 180), "umbrella", made="polyester / olefin fabric", is_="water repellent; fade resistant; easy assemble", has="*push button tilt; *crank handle; LED lights", options="color=home"),
            Row("storage basket, woven basket", "Storage › Baskets", (12, 68), "basket", made="cotton rope / seagrass / water hyacinth / jute", is_="foldable; handmade; eco friendly", has="side handles; *removable liner", options="color=home, count=pieces"),
        ),
    ),
)
