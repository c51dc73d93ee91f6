"""Kinds of the department of fashion."""

from worldschool.envs.shop.generated.kinds import Row, family

_ROOT = "Clothing, Shoes & Jewelry"
FASHION = (
    *family(
        "fashion",
        f"{_ROOT} › Men › Clothing",
        made="cotton / polyester spandex / linen / merino wool",
        is_="machine washable / hand wash; slim fit / regular fit / loose fit; moisture wicking; wrinkle resistant; quick drying",
        uses="men, work, school, gym, daily wear",
        rows=(
            Row("men's jeans, men's denim pants", "Jeans", (18, 95), "jeans", made="stretch denim / rigid denim / organic denim", is_="straight leg / tapered leg; low rise / mid rise", has="button closure / zipper closure; *five pocket design", options="color=denim, size=waist", article="a pair of"),
            Row("men's t-shirt, men's tee", "Shirts › T-Shirts", (7, 42), "tshirt", is_="tagless", has="short sleeves / long sleeves; *crew neck / *v neck", options="color=cloth, size=letters, pack=packs"),
            Row("men's polo shirt, men's golf shirt", "Shirts › Polos", (12, 65), "polo", has="short sleeves / long sleeves; *button placket; *chest pocket", options="color=cloth, size=letters, fit type=fit"),
            Row("men's hoodie, men's hooded sweatshirt", "Fashion Hoodies & Sweatshirts", (16, 80), "hoodie", made="cotton / fleece / french terry", has="*kangaroo pocket; *drawstring hood; *full zip / *half zip", options="color=cloth, size=letters"),
            Row("men's jacket, men's windbreaker", "Jackets & Coats", (28, 190), "jacket", made="nylon / faux suede / waxed canvas", is_="water resistant; fleece lined; windproof", has="zipper closure; side pockets; *detachable hood", options="color=cloth, size=letters"),
            Row("men's shorts, men's gym shorts", "Shorts", (10, 58), "shorts", has="*elastic waist; side pockets; *drawstring closure", options="color=cloth, size=letters", article="a pair of"),
            Row("men's boxer briefs, men's underwear", "Underwear › Boxer Briefs", (9, 48), "shorts", made="cotton / bamboo viscose / modal", is_="tagless", has="*elastic waist", options="color=cloth, size=letters, pack=packs", article=""),
        ),
    ),
    *family(
        "fashion",
        f"{_ROOT} › Women › Clothing",
        made="cotton / rayon / polyester spandex / linen",
        is_="machine washable / hand wash; slim fit / loose fit; lightweight; wrinkle resistant; quick drying",
        uses="women, work, parties, vacation, daily wear",
        rows=(
            Row("women's jeans, women's denim pants", "Jeans", (18, 98), "jeans", made="stretch denim / rigid denim / organic denim", is_="high waisted / mid rise; wide leg / straight leg", has="button closure / zipper closure; back pockets", options="color=denim, size=letters, fit type=fit", article="a pair of"),
            Row("women's blouse, women's dressy top", "Tops & Blouses › Blouses", (12, 64), "blouse", made="chiffon / cotton / satin / linen", has="long sleeves / short sleeves / puff sleeves; *v neck / *crew neck; ruffle trim", options="color=cloth, size=letters"),
            Row("women's dress, women's sundress", "Dresses", (16, 120), "dress", is_="knee length / ankle length; sleeveless", has="*floral print / polka dots; side pockets; *tie waist", options="color=cloth, size=letters, fit type=fit", query="women's dresses"),
            Row("women's leggings, women's yoga pants", "Active › Leggings", (9, 60), "leggings", made="nylon spandex / polyester spandex / cotton", is_="high waisted; squat proof; moisture wicking", has="tummy control; side pockets", options="color=cloth, size=letters, fit type=fit", article="a pair of"),
            Row("women's cardigan, women's open front sweater", "Sweaters › Cardigans", (15, 86), "hoodie", made="merino wool / acrylic knit / cotton", has="long sleeves; button closure; side pockets", options="color=cloth, size=letters"),
            Row("women's pajama set, women's sleepwear set", "Sleep & Lounge", (14, 70), "pajamas", made="satin / cotton / bamboo viscose / flannel", has="long sleeves / short sleeves; *elastic waist", options="color=cloth, size=letters"),
            Row("women's swimsuit, women's bathing suit", "Swimsuits", (16, 84), "swimsuit", made="nylon spandex / recycled polyester", is_="high waisted; chlorine resistant", has="tummy control; adjustable straps; removable padding", options="color=cloth, size=letters"),
            Row("women's bra, women's wireless bra", "Lingerie › Bras", (10, 58), "bra", made="nylon spandex / cotton / lace", is_="seamless", has="adjustable straps; *front closure / *hook closure; removable padding", options="color=cloth, size=letters, pack=packs"),
        ),
    ),
    *family(
        "fashion",
        f"{_ROOT} › Shoes",
        is_="slip resistant; lightweight; arch supporting; water resistant",
        has="memory foam; *rubber sole; *breathable lining",
        options="color=leather, size=shoes",
        uses="men, women, walking, work, travel",
        rows=(
            Row("sneakers, running shoes", "Athletic › Running", (22, 140), "sneaker", made="mesh / canvas / flyknit", is_="shock absorbing", has="*lace up closure / slip on design", options="color=cloth", article="a pair of"),
            Row("boots, ankle boots", "Boots", (34, 210), "boot", made="genuine leather / faux suede / rubber", has="*side zipper; *block heel / *low heel; *steel toe", article="a pair of"),
            Row("sandals, flat sandals", "Sandals", (14, 90), "sandal", made="vegan leather / eva foam / cork", is_="open toe", has="adjustable straps; *ankle strap", article="a pair of"),
            Row("slippers, house slippers", "Slippers", (12, 60), "slipper", made="faux fur / fleece / wool felt", is_="indoor outdoor; machine washable", article="a pair of"),
        ),
    ),
    *family(
        "fashion",
        f"{_ROOT} › Accessories",
        is_="lightweight; travel friendly; gift ready",
        uses="men, women, travel, winter, summer, gifts",
        rows=(
            Row("socks, crew socks", "Socks", (6, 34), "socks", made="cotton / merino wool / bamboo viscose", is_="moisture wicking; machine washable; seamless", has="arch support; *cushioned sole", options="color=cloth, length=length, pack=packs", article="a pair of"),
            Row("baseball cap, sun hat", "Hats & Caps › Caps", (8, 40), "cap", made="cotton twill / polyester mesh / corduroy", is_="adjustable; quick drying; hand wash", has="uv protection; *curved brim", options="color=cloth"),
            Row("beanie, winter knit hat", "Hats & Caps › Beanies", (7, 38), "beanie", made="merino wool / acrylic knit / cashmere", is_="fleece lined; double layered; hand wash", has="*pom pom", options="color=cloth, pack=packs"),
            Row("scarf, fashion scarf", "Scarves", (8, 70), "scarf", made="cashmere / silk / acrylic knit", is_="extra long; hand wash", has="*tassel fringe; *plaid pattern / *floral print", options="color=cloth", query="scarves"),
            Row("belt, casual belt", "Belts", (10, 68), "belt", made="genuine leather / canvas / vegan leather", is_="adjustable; reversible", has="*ratchet buckle / *pin buckle", options="color=leather, size=letters"),
            Row("wallet, slim wallet", "Wallets", (12, 85), "wallet", made="genuine leather / vegan leather / carbon fiber", is_="rfid blocking; bifold / trifold", has="*coin pocket; *money clip; *id window", options="color=leather"),
            Row("sunglasses, polarized shades", "Sunglasses", (9, 130), "glasses", made="acetate / stainless steel / polycarbonate", is_="polarized; scratch resistant", has="uv protection; spring hinges", options="color=device, style=shape", article="a pair of"),
        ),
    ),
    *family(
        "fashion",
        f"{_ROOT} › Bags & Jewelry",
        is_="handmade; gift ready; lightweight",
        uses="women, men, work, school, travel, anniversaries",
        rows=(
            Row("handbag, shoulder bag", "Handbags", (22, 220), "handbag", made="vegan leather / genuine leather / canvas", is_="large capacity; water resistant", has="zipper closure; *adjustable strap; *inner pocket", options="color=leather"),
            Row("backpack, travel backpack", "Backpacks", (19, 130), "backpack", made="nylon / canvas / recycled polyester", is_="water resistant; carry on; large capacity", has="*laptop compartment; padded straps; *usb port", options="color=cloth, size=laptop"),
            Row("necklace, pendant necklace", "Jewelry › Necklaces", (11, 180), "necklace", made="sterling silver / stainless steel / titanium", is_="hypoallergenic; nickel free; tarnish resistant", has="*lobster clasp; cubic zirconia", options="color=metal, length=chain"),
            Row("earrings, stud earrings", "Jewelry › Earrings", (7, 120), "earrings", made="sterling silver / stainless steel / freshwater pearl", is_="hypoallergenic; nickel free; tarnish resistant", has="cubic zirconia; screw backs", options="color=metal, pack=packs", article="a pair of"),
        ),
    ),
)
