"""Kinds of the department of beauty."""

from worldschool.envs.shop.generated.kinds import Row, family

BEAUTY = (
    *family(
        "beauty",
        "Beauty & Personal Care › Skin Care",
        is_="cruelty free; paraben free; fragrance free; dermatologist tested; travel size; non greasy; oil free",
        has="hyaluronic acid / retinol / niacinamide / salicylic acid; tea tree / green tea / coconut oil",
        uses="dry skin, oily skin, sensitive skin, women, men",
        rows=(
            Row("face serum, facial serum", "Face › Serums", (9, 68), "dropper", is_="anti aging", options="size=fluid"),
            Row(
                "face moisturizer, facial cream, moisturizing cream", "Face › Creams & Moisturizers", (8, 56), "jar",
                is_="anti aging; long lasting", options="size=fluid, pack=packs", query="face moisturizers",
            ),
            Row(
                "sunscreen, sun lotion", "Sun › Sunscreens", (7, 38), "tube",
                is_="water resistant; reef safe; mineral based", has="spf 30 / spf 50 / spf 70", options="size=ounces",
                uses="kids, beach days",
            ),
            Row(
                "face wash, facial cleanser", "Face › Cleansers", (5, 32), "pump", is_="alcohol free; sulfate free",
                options="size=fluid, pack=packs",
            ),
            Row(
                "sheet mask, face mask", "Face › Masks", (4, 30), "pouch", is_="single use; plant based",
                has="aloe vera / vitamin c", options="count=counts, scent=body scent",
            ),
            Row("eye cream, under eye cream", "Eyes › Creams", (9, 60), "jar", is_="anti aging; fast absorbing"),
            Row(
                "body lotion, hand and body lotion", "Body › Moisturizers › Lotions", (5, 34), "pump",
                is_="long lasting; fast absorbing", options="scent=body scent, size=ounces",
            ),
            Row(
                "lip balm, lip butter", "Lip Care › Balms", (3, 18), "lipstick", made="beeswax / shea butter / cocoa butter",
                is_="non sticky", options="scent=body scent, pack=packs",
            ),
        ),
    ),
    *family(
        "beauty",
        "Beauty & Personal Care › Hair Care",
        is_="sulfate free; cruelty free; color safe; paraben free; salon quality",
        has="argan oil / castor oil / biotin / keratin",
        uses="curly hair, colored hair, fine hair, dry hair",
        rows=(
            Row("shampoo, hair shampoo", "Shampoo", (6, 36), "pump", is_="anti dandruff; ph balanced", options="size=fluid, scent=body scent"),
            Row("hair conditioner, conditioner", "Conditioners", (6, 36), "pump", is_="leave in; ph balanced", options="size=fluid, scent=body scent"),
            Row("hair mask, deep conditioner", "Treatments › Masks", (8, 44), "jar", is_="deep repairing", options="size=ounces, scent=body scent"),
            Row("hair oil, hair growth oil", "Treatments › Oils", (7, 40), "dropper", is_="cold pressed; non greasy", options="size=fluid, pack=packs"),
        ),
    ),
    *family(
        "beauty",
        "Beauty & Personal Care › Makeup",
        is_="long lasting; cruelty free; smudge proof; paraben free; hypoallergenic; travel size",
        has="vitamin e / jojoba oil",
        uses="women, teens, everyday wear, weddings",
        rows=(
            Row("lipstick, lip color", "Lips › Lipstick", (5, 36), "lipstick", is_="highly pigmented; transfer proof", options="color=lips, finish=finish"),
            Row("mascara, lash mascara", "Eyes › Mascara", (6, 32), "mascara", is_="volumizing / lengthening; clump free", options="pack=packs"),
            Row(
                "foundation, liquid foundation", "Face › Foundation", (8, 48), "bottle", is_="full coverage / light coverage; oil free",
                options="color=skin, finish=finish",
            ),
            Row("eyeshadow palette, eye palette", "Eyes › Eyeshadow", (8, 54), "palette", is_="highly pigmented; easy blending", options="finish=finish"),
            Row("nail polish, nail lacquer", "Nails › Polish", (4, 20), "polish", is_="quick drying; chip resistant", options="color=lips, finish=finish", query="nail polish"),
        ),
    ),
    *family(
        "beauty",
        "Beauty & Personal Care › Personal Care",
        is_="cruelty free; plant based; travel size; alcohol free",
        uses="men, women, kids, travel",
        rows=(
            Row("toothpaste, whitening toothpaste", "Oral Care › Toothpaste", (3, 18), "tube", is_="fluoride free; teeth whitening; sugar free", options="flavor=mint, pack=packs", article="some"),
            Row("perfume, eau de parfum", "Fragrance › Perfume", (16, 130), "perfume", is_="long lasting", has="*floral scent / *woody scent", options="scent=perfume, size=fluid"),
            Row("deodorant, deodorant stick", "Deodorants", (4, 22), "stick", is_="aluminum free; long lasting", has="baking soda / magnesium", options="scent=body scent, pack=packs"),
            Row("bath bomb set, bath bombs gift set", "Bath › Bath Bombs", (8, 40), "box", made="epsom salt / shea butter", is_="handmade; gluten free", options="scent=body scent, count=counts"),
            Row("hand soap, liquid hand soap", "Bath › Hand Soap", (4, 26), "pump", is_="ph balanced; biodegradable; moisturizing", options="scent=body scent, size=fluid", article="some"),
        ),
    ),
    *family(
        "beauty",
        "Beauty & Personal Care › Tools & Accessories",
        is_="lightweight; easy to use; travel friendly; gift ready",
        uses="women, men, teens, travel, curly hair",
        rows=(
            Row(
                "hair brush, detangling brush", "Hair › Brushes", (5, 34), "brush",
                made="bamboo / boar bristle / nylon", is_="anti static; easy grip", options="color=device, pack=packs", query="hair brushes",
            ),
            Row(
                "wig, hair wig", "Hair › Wigs", (24, 190), "wig", made="human hair / synthetic fiber",
                is_="heat resistant; natural looking", has="lace front; adjustable straps", options="color=hair, length=chain",
            ),
            Row(
                "hair dryer, blow dryer", "Hair › Dryers", (19, 160), "dryer", is_="foldable; quiet; high speed",
                has="ionic technology; *cool shot button; *diffuser attachment", options="color=device, plug type=plug",
            ),
            Row(
                "makeup brush set, cosmetic brush kit", "Makeup › Brush Sets", (9, 60), "brush",
                made="synthetic fiber / bamboo / goat hair", is_="shed free", has="*storage case", options="count=pieces, color=metal",
            ),
            Row(
                "electric toothbrush, sonic toothbrush", "Oral Care › Toothbrushes", (18, 140), "toothbrush",
                is_="rechargeable; water resistant", has="*smart timer; *travel case; *pressure sensor",
                options="color=device, bristle=bristles", query="electric toothbrushes",
            ),
        ),
    ),
)
