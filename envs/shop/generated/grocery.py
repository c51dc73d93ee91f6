"""Kinds of the department of groceries."""

from worldschool.envs.shop.generated.kinds import Row, family

_ROOT = "Grocery & Gourmet Food"
GROCERY = (
    *family(
        "grocery",
        f"{_ROOT} › Beverages",
        is_="USDA organic; fair trade; sugar free; gluten free; non GMO; kosher certified; caffeine free / high caffeine",
        options="pack=packs",
        uses="mornings, office, iced drinks, gifts",
        rows=(
            Row("ground coffee, coffee grounds", "Coffee › Ground", (7, 38), "coffeebag", made="arabica beans / robusta beans", is_="low acid; shade grown; small batch", has="*chocolate aroma / *nutty aroma", options="flavor=coffee, size=pounds", article="some"),
            Row("coffee pods, coffee capsules", "Coffee › Single-Serve Pods", (9, 54), "box", made="arabica beans / robusta beans", is_="low acid; compostable", options="flavor=coffee, count=counts, pack=none", article=""),
            Row("green tea, matcha green tea", "Tea › Green", (5, 34), "teabox", made="matcha powder / sencha leaves", is_="antioxidant rich; ceremonial grade", options="flavor=tea, count=counts", article="some"),
            Row("herbal tea, herbal infusion", "Tea › Herbal", (5, 30), "teabox", made="chamomile flowers / rooibos leaves / peppermint leaves", is_="individually wrapped; ayurvedic", options="flavor=tea, count=counts", article="some"),
            Row("sparkling water, seltzer", "Water › Sparkling", (5, 32), "can", made="natural fruit essence / real fruit juice", is_="zero calorie; sodium free", options="flavor=fruit, count=counts", article="some"),
            Row("energy drink, pre workout drink", "Energy Drinks", (8, 46), "can", made="green tea extract / guarana extract", is_="zero calorie; plant based", has="b vitamins; electrolytes", options="flavor=fruit, count=counts"),
            Row("oat milk, dairy free milk", "Milk Substitutes", (5, 28), "carton", made="whole oats / oat flour", is_="dairy free; shelf stable; soy free; nut free", options="flavor=sweet", article="some"),
        ),
    ),
    *family(
        "grocery",
        f"{_ROOT} › Snacks & Sweets",
        is_="gluten free; non GMO; kosher certified; individually wrapped; plant based; low sodium; resealable",
        options="pack=packs",
        uses="kids, school lunches, office, road trips, parties",
        rows=(
            Row("dark chocolate bar, chocolate candy bar", "Chocolate", (4, 30), "chocolate", made="cacao beans / cacao nibs / cocoa butter", is_="dairy free; fair trade; low sugar; soy free", options="flavor=sweet"),
            Row("cookies, bakery cookies", "Cookies", (4, 26), "cookie", made="almond flour / whole wheat flour / rolled oats", is_="nut free; egg free; low sugar; baked fresh", options="flavor=sweet, count=counts", article="some"),
            Row("granola bars, snack bars", "Bars › Granola", (5, 30), "bar", made="rolled oats / whole almonds / dates", is_="high protein; low sugar; high fiber; soy free", options="flavor=sweet, count=counts", article="some"),
            Row("protein bars, nutrition bars", "Bars › Protein", (9, 48), "bar", made="whey protein / pea protein / whole almonds", is_="high protein; low carb; keto friendly; soy free", options="flavor=sweet, count=counts", article="some"),
            Row("trail mix, snack mix", "Nuts › Trail Mix", (6, 34), "pouch", made="cashews and raisins / almonds and cranberries / sunflower seeds", is_="high protein; no preservatives", options="flavor=sweet, size=pounds", article="some"),
            Row("roasted almonds, snack almonds", "Nuts › Almonds", (6, 38), "pouch", made="california almonds / marcona almonds", is_="dry roasted / oil roasted; high protein; keto friendly; low carb", options="flavor=savory, size=pounds", article="some"),
            Row("dried mango, dried fruit", "Fruit › Dried", (6, 32), "pouch", made="ripe mango / alphonso mango", is_="freeze dried / sun dried; no preservatives; low sugar; USDA organic", options="size=pounds", article="some"),
            Row("potato chips, kettle chips", "Chips", (3, 24), "chips", made="russet potatoes / sweet potatoes", is_="kettle cooked; fat free; trans fat free", has="avocado oil / sunflower oil", options="flavor=savory, size=ounces", article="some"),
            Row("popcorn, popped corn snack", "Popcorn", (4, 26), "popcorn", made="whole grain corn / heirloom corn", is_="air popped; ready eat; low calorie", has="coconut oil / avocado oil", options="flavor=savory, size=ounces", article="some"),
            Row("beef jerky, meat snack sticks", "Meat Snacks › Jerky", (7, 44), "pouch", made="grass fed beef / angus beef", is_="high protein; low carb; nitrate free; keto friendly", options="flavor=savory, size=ounces", article="some"),
            Row("gummy candy, fruit gummies", "Candy › Gummy", (4, 28), "candy", made="pectin / real fruit juice / beef gelatin", is_="fat free; nut free; naturally colored; bulk size", options="flavor=fruit, size=pounds", article="some"),
        ),
    ),
    *family(
        "grocery",
        f"{_ROOT} › Pantry Staples",
        is_="gluten free; non GMO; USDA organic; kosher certified; no preservatives; shelf stable; low sodium",
        options="pack=packs",
        uses="families, baking, quick dinners, meal prep, camping",
        rows=(
            Row("pasta, dried pasta", "Pasta", (3, 24), "pasta", made="durum wheat / chickpea flour / red lentils / brown rice", is_="high protein; bronze cut; high fiber", options="size=pounds", article="some"),
            Row("rice, long grain rice", "Rice & Grains", (4, 30), "sack", made="basmati grains / jasmine grains / wild grains", is_="ready eat; microwave ready; long aged", options="size=pounds", article="some"),
            Row("olive oil, cooking oil", "Oils", (8, 52), "oil", made="arbequina olives / koroneiki olives", is_="cold pressed; extra virgin; unfiltered; single origin", options="size=fluid", article="some"),
            Row("hot sauce, chili sauce", "Sauces › Hot Sauce", (4, 26), "saucebottle", made="red chilies / habanero peppers / aged cayenne", is_="sugar free; small batch; vinegar based", options="flavor=sauce, size=ounces", article="some"),
            Row("peanut butter, nut butter", "Spreads › Nut Butters", (5, 28), "jar", made="roasted peanuts / valencia peanuts", is_="creamy / crunchy; sugar free; high protein; palm oil free", options="size=ounces", article="some"),
            Row("honey, raw honey", "Spreads › Honey", (6, 40), "honey", made="clover nectar / wildflower nectar / manuka nectar", is_="unfiltered; unpasteurized; small batch", has="*squeeze bottle / *glass jar", options="size=ounces", article="some"),
            Row("fruit jam, fruit preserves", "Spreads › Jams", (4, 24), "jar", made="cane sugar / real fruit juice", is_="low sugar; seedless; small batch", options="flavor=fruit, size=ounces", article="some"),
            Row("oatmeal, instant oats", "Breakfast › Oatmeal", (4, 28), "box", made="rolled oats / steel cut oats", is_="high fiber; instant; whole grain", options="flavor=sweet, count=counts", article="some"),
            Row("breakfast cereal, whole grain cereal", "Breakfast › Cereal", (4, 26), "box", made="corn flour / brown rice / whole wheat flour", is_="low sugar; high fiber; vitamin fortified; keto friendly", options="flavor=sweet, size=ounces", article="some"),
            Row("vegetable soup, canned soup", "Soups", (3, 24), "can", made="tomatoes and basil / red lentils / sweet corn", is_="ready eat; dairy free; fat free", options="heat=heat", article="some"),
            Row("seasoning blend, spice mix", "Spices", (4, 26), "shaker", made="sea salt / garlic and onion / smoked peppers", is_="msg free; salt free; small batch", options="flavor=spice, size=ounces"),
            Row("protein powder, protein shake mix", "Sports Nutrition › Protein", (16, 78), "tub", made="whey protein / pea protein / hemp protein", is_="low carb; keto friendly; soy free; easy mixing", has="digestive enzymes; amino acids", options="flavor=sweet, size=pounds", article="some"),
        ),
    ),
)
