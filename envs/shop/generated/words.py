"""The words of product texts: brands, sentences and which words of a title are no nouns.

Slots of sentences: {a} an attribute, {x} with its article; {noun} what the product is called, {one} with an article, {this}
with "this" or "these", {many} in the plural; {is}, {it}, {them}, {was} and {s} of the right number; {made} "made of" or "made
with"; {use} whom or what for; {brand}. Those with a capital or a low line begin a sentence. No sentence holds words of an attribute: a product has only what it says it has.
"""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_STARTS = _words(
    "Vel Tam Nor Bex Cal Dru Fen Gal Hol Ker Lum Mar Nev Orl Pel Quin Ros Sor Tor Ul Var Wil Yar Zan Bri Cor Del Ev Fal "
    "Jor Kas Lor Mir Nal Ost Pra Rav Sel Thal Vor"
)
_ENDS = _words(
    "ora lin wick ano ette ium aro eva ista orn elle anto ique ova eon ita ulo and essa oria ax ello yn umi ark ette "
    "usa ior enna olt"
)
BRANDS: tuple[str, ...] = tuple(dict.fromkeys(start + end for end in _ENDS for start in _STARTS))
"""Invented names, none a word of the shop."""

MODELS = (
    "", "", "", "", "Classic", "Pro", "Series 2", "Studio", "Edition 5", "Plus", "Essentials", "Select", "Signature",
    "Original", "Everyday", "Series 7", "Prime", "Lite", "Max", "Collection", "No. 9", "Deluxe", "Basics", "Evolve",
)  # fmt: skip
NO_NOUNS = frozenset(
    _words(
        "abs absorbent chewy crispy eat lightly ripened handmade install solid waisted absorbing adjustable aged aging all and anodized anti arabic assemble assembled auto ayurvedic "
        "baked balanced based basic best beveled bifold biodegradable blocking blow bpa braided breathable bronze "
        "brown brushed built by cancelling canned carry carrying casual ceremonial certified charging chopping "
        "classic clean colored compact compatible compostable controlled cooked cooking cool cooling cosmetic creamy "
        "crunchy cubic curly curved cushioned cutting daily dark decorative deep deluxe detachable detangling "
        "digestive dimmable double dressy dried dry drying dual dustproof easy eco efficient egyptian elastic "
        "electric engineered ergonomic essential everyday evolve expandable external extra facial fair fast faux fed "
        "fine fixed flat flexible floral foldable for fortified free freestanding freeze french fresh freshwater "
        "friendly frosted frying full fully genuine geometric gmo greasy green grown guest hanging hard heavy herbal "
        "hidden high highly hooded hot human hyaluronic hypoallergenic iced improved in individually indoor inner "
        "instant insulated ionic knit kosher large lasting layered leave led lengthening light lightweight lined "
        "liquid lite long looking loose low lumbar max mid mineral mini modern moisturizing mountable mounted msg "
        "multiport natural naturally no non nutty of oily on one open operated organic original outdoor over overheat "
        "padded painted parental pigmented plated plug plus polarized popped portable poured powered pre premium "
        "pressed prime pro professional proof protected quick quiet quilted raw ready real rechargeable recycled red "
        "reducing refillable regular removable repairing repellent resealable resistant reversible rfid rich rigid "
        "ripe rise roasted rolled roman russet rustproof s safe salicylic saving scented seamless seedless select "
        "self sensitive shatterproof shed sheer shockproof short silent single sleeveless slim slip small smart "
        "smoked smudge soft solar sonic sparkling stable stainless standing static sterling sticky straight stretch "
        "super supporting surround sweatproof sweet swivel synthetic t tagless tapered tarnish tempered tested the "
        "thermal to trans tri trifold tufted turkish two ultra under unfiltered universal unpasteurized up usda use "
        "uv vegan virgin volumizing walking walled washable watering waterproof waxed weatherproof weighted whitening "
        "whole wicking wide wild windproof wireless with wooden woody woven wrapped"
    )
)
"""Words of titles that are no nouns; every other word of letters is one."""
PRAISE = (
    ("", "", "Basic", "Value"),
    ("", "", "", "Everyday"),
    ("", "", "Best", "Improved"),
    ("", "Premium", "Professional", "Luxury"),
)
"""What a title may say of a product's quality, plain to best."""

BULLETS = {
    "is": (
        "{A}: we tried {this} for months before we said so.",
        "Truly {a}, day after day.",
        "{this_} {is} {a}, which many customers asked us for.",
        "{A}, just as {a} should be.",
        "{A} by design, so you can stop worrying about it.",
        "We wanted {this} to be {a}, and nothing less.",
        "{A} - the difference shows from the first day.",
        "Because {it} {is} {a}, {it} will suit {use} well.",
        "You asked for {a}, and {a} {it} {is}.",
        "[{A}] Tested again and again in our own workshop.",
    ),
    "made": (
        "{Made} {a}, chosen by people who know their trade.",
        "{A}: the stuff that {this} {is} {made}.",
        "Honestly {made} {a} and nothing we would hide.",
        "{Noun} {made} {a} for those who look closely.",
        "Only carefully picked {a} goes in here.",
        "{A} from suppliers whom we visit every year.",
        "We chose {a} after trying eleven others.",
        "[{A}] You will feel the difference.",
    ),
    "has": (
        "With {x}, so nothing is missing when you unpack.",
        "{A}: a small thing that you will use every day.",
        "{Noun} with {x}, thought through to the end.",
        "{A} included, at no extra charge.",
        "Thanks to {x}, {it} {is} a favorite for {use}.",
        "We added {x} because customers wrote to us about it.",
        "[{A}] Look for it in the second picture.",
        "What sets {them} apart: {x}.",
    ),
}
"""Bullet points by the form of the attribute they are about."""
PLAIN_BULLETS = (
    "What you get: {one}, a short guide and our thanks.",
    "A welcome present, whatever the occasion.",
    "Questions? Our team in the next town answers within a day.",
    "{brand} has been doing this since before it was fashionable.",
    "Not happy? Send {them} back within thirty days.",
    "Please check the measurements before you order.",
    "Colors may look a little different on your display.",
    "Designed for {use}, loved far beyond.",
    "Every parcel is looked over twice before it leaves us.",
    "Made for {use}, and for all who care about detail.",
    "Our promise: honest {many} at an honest cost.",
    "Read the notes on the label before the first use.",
    "A pleasant choice for {use}, whatever the season.",
    "Packed in a simple carton with little waste.",
    "{many_} for {use} were never this good.",
    "Small business, big heart: that is {brand}.",
)

OPENINGS = (
    "Meet {this} by {brand}.",
    "{brand} presents {one} for {use}.",
    "Looking for {one}? {brand} has you covered.",
    "{one_} by {brand}: simple, useful, pleasant.",
    "There is no lack of {many} out there, and then there is {brand}.",
    "We at {brand} believe in better {many} for {use}.",
    "This is what {brand} is known for: good {many}.",
    "Few things are as personal as {many}.",
)
ABOUT = {
    "is": (
        "{It} {is} {a} and a joy to own.",
        "Being {a}, {it} fit{s} into any routine.",
        "Customers say that {this} {is} {a} beyond what they hoped for.",
        "Yes, {it} {is} {a}.",
        "Since {it} {is} also {a}, {it} will stay with you.",
    ),
    "made": (
        "{It} {is} {made} {a}.",
        "{Made} {a}, {it} will please even those who are hard to please.",
        "The secret lies in {a}.",
        "We would not have {them} {made} anything but {a}.",
    ),
    "has": (
        "{It} come{s} with {x}.",
        "You will like {x}, too.",
        "Our designers also thought of {x}.",
        "Nothing beats {this} with {x}.",
    ),
}
"""Sentences of a description about an attribute."""
CLOSINGS = (
    "",
    "Order today and see for yourself.",
    "A sensible choice for {use}.",
    "Good things need not be complicated.",
    "Tell us how you like {them}.",
    "From {brand}, with care.",
    "Great for {use}.",
    "Satisfaction is what we work for.",
)

REVIEW_TITLES = {
    1: ("Disappointed", "Not for me", "Went back", "Would not buy again"),
    2: ("Expected more", "So so", "Meh", "Just passable"),
    3: ("It is okay", "Decent for the cost", "Mixed feelings", "Average"),
    4: ("Pretty good", "Happy overall", "Nice find", "Does the job"),
    5: ("Love it", "Exactly what I wanted", "Five stars", "Could not be happier", "Buying again"),
}
REVIEW_BODIES = {
    1: ("{Noun} arrived late and {was} not what I hoped for.", "I sent {them} back after two days.", "My sister warned me."),
    2: ("The pictures look better than the real thing.", "Okay at first, then I found small flaws.", "I may try another brand."),
    3: ("Neither good nor bad. {It} {is} what {it} {is}.", "Fine for {use}, not more.", "Took a week to get used to {them}."),
    4: ("Good {noun}. One star off for the wrapping.", "Works well for {use}.", "I would order {them} again, on sale."),
    5: (
        "Bought {this} for my mother and now I want the same.",
        "Best {noun} I have had in years.",
        "Came a day early. Great for {use}.",
        "I have ordered {them} three times now.",
        "Everybody asks me where I got {them}.",
    ),
}  # fmt: skip
"""What customers write, by their stars."""
