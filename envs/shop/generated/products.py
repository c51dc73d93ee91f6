"""Products drawn one by one: product i of a seed is a function of (seed, i), however many there are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from worldschool.envs.shop.generated import words
from worldschool.envs.shop.generated.draws import Draws
from worldschool.envs.shop.generated.kinds import Attribute, Kind, article_of, plural_of, titled
from worldschool.envs.shop.generated.options import SAMPLED
from worldschool.envs.shop.generated.table import KINDS
from worldschool.envs.shop.products import NO_RATING, Product, Review

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PAIRS = tuple(first + second for first in _DIGITS for second in _DIGITS)
_HALF = 36**4
"""Values of half an id; an id is "B0" and eight digits to base 36."""
_ENDINGS = (0.99, 0.99, 0.95, 0.49, 0.97, 0.89, 0.29, 0.75)
_QUALITIES = (0, 0, 0, 1, 1, 1, 1, 2, 2, 3)
"""How good a product is, as often as here: 0 plain, 3 the best; the better, the dearer and the better rated."""
_PACKS = ("", "", "", "2 Pack", "Pack of 3", "Gift Box", "Set of 2", "1 Count")
_LETTERS = re.compile("[a-z]+")


def generate(products: int, seed: int) -> Iterator[Product]:
    """Yield products 0 to `products` - 1 of a seed, one at a time."""
    for number in range(products):
        yield product_at(number, seed)


def product_at(number: int, seed: int) -> Product:
    """Return one product of a seed."""
    draws = Draws(f"product {number} of {seed}")
    kind = draws.one_of(KINDS)
    quality = draws.one_of(_QUALITIES)
    calls = draws.below(len(kind.names))
    brand = draws.one_of(words.BRANDS)
    use = draws.one_of(kind.uses)
    attributes = [draws.one_of(group) for group in draws.some_of(kind.groups, 4 + draws.below(4))]
    options = _options(draws, kind)
    titled_ones, others = _parted(attributes, 1 + draws.below(3))
    title = _title(draws, kind.titles[calls], brand, use, titled_ones, quality, "pack" in options)
    slots = {**_slots(kind, calls), "brand": brand, "use": use}
    bullets = _bullets(draws, slots, others)
    description = _description(draws, slots, attributes)
    rating, reviews = _ratings(draws, slots, quality)
    return Product(
        asin=asin_of(number, seed),
        title=title,
        description=description,
        bullets=bullets,
        prices=_prices(draws, kind, quality),
        category=kind.department,
        query=kind.query,
        product_category=kind.path,
        attributes=tuple([attribute.text for attribute in attributes]),
        options=options,
        rating=rating,
        reviews=reviews,
        nouns=nouns_of(title),
    )


def asin_of(number: int, seed: int) -> str:
    """Return a product's id: ten characters as Amazon's, another one for every number below 36**8.

    Three rounds of a Feistel network (Luby and Rackoff 1988) over the two halves of a number make it look drawn and keep it
    one to one.
    """
    left, right = divmod(number, _HALF)
    left = (left + _mixed(right + 5 * seed)) % _HALF
    right = (right + _mixed(left + 7 * seed)) % _HALF
    left = (left + _mixed(right + 11 * seed)) % _HALF
    return f"B0{_PAIRS[left // 1296]}{_PAIRS[left % 1296]}{_PAIRS[right // 1296]}{_PAIRS[right % 1296]}"


def nouns_of(title: str) -> tuple[str, ...]:
    """Return the nouns of a generated title, in lower case and in order: its words of letters but for `words.NO_NOUNS`."""
    return tuple([word for word in _LETTERS.findall(title.lower()) if word not in words.NO_NOUNS])


def _mixed(value: int) -> int:
    """Return 48 bits that look unlike those of neighbouring values (a step of SplitMix64, Steele et al. 2014)."""
    value = (value + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
    return ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF) >> 16


def _parted(attributes: Sequence[Attribute], first: int) -> tuple[Sequence[Attribute], Sequence[Attribute]]:
    return attributes[:first], attributes[first:]


def _options(draws: Draws, kind: Kind) -> dict[str, tuple[str, ...]]:
    """Draw what can be chosen: seven of eight options that the kind has, and some values of each."""
    options: dict[str, tuple[str, ...]] = {}
    for name, pool in kind.options:
        if draws.below(8):
            count = 2 + draws.below(min(6, len(pool) - 1))
            if name in SAMPLED:
                options[name] = tuple(draws.some_of(pool, count))
            else:
                begin = draws.below(len(pool) - count + 1)
                options[name] = pool[begin : begin + count]
    return options


def _title(
    draws: Draws, name: str, brand: str, use: str, attributes: Sequence[Attribute], quality: int, packed: bool
) -> str:
    before = [attribute.title for attribute in attributes if attribute.form != "has"]
    with_ = " and ".join([attribute.title for attribute in attributes if attribute.form == "has"])
    with_ = f" with {with_}" if with_ else ""
    front, listed = " ".join(before), ", ".join(before)
    praise = words.PRAISE[quality][draws.below(4)]
    model = draws.one_of(words.MODELS)
    pack = "" if packed else draws.one_of(_PACKS)
    use = _use_title(use)
    shape = draws.below(7)
    if shape == 0:
        title = f"{brand} {praise} {front} {name}{with_} for {use}, {pack}"
    elif shape == 1:
        title = f"{brand} {model} {name}{with_}, {listed}, {pack}"
    elif shape == 2:
        title = f"{praise} {front} {name}{with_} by {brand}, {pack}"
    elif shape == 3:
        dash = " - " if front else ""
        title = f"{brand} {model} {name} for {use}{dash}{front}{with_}"
    elif shape == 4:
        title = f"{front} {name}{with_} | {pack or use} | {brand} {model}"
    elif shape == 5:
        title = f"{brand} {name}, {listed}{with_}, {praise} {model}"
    else:
        title = f"{praise} {name} for {use}, {listed}{with_}, {brand}"
    return " ".join(title.replace(" ,", ",").replace(",,", ",").split()).strip(" ,-|")


@cache
def _use_title(use: str) -> str:
    return titled(use.removeprefix("the "))


@cache
def _slots(kind: Kind, calls: int) -> dict[str, str]:
    """Return what the slots of sentences hold for a kind under one of its names (words.py)."""
    name = kind.names[calls]
    plural = kind.is_plural(name)
    article = kind.article if kind.article != "some" else ""
    article = article_of(name) if article == "a" else article
    one, this = f"{article} {name}".strip(), f"{'these' if plural else 'this'} {name}"
    many = plural_of(name) if kind.article == "a" else name
    return {
        "noun": name,
        "Noun": f"The {name}",
        "this": this,
        "this_": _capital(this),
        "one": one,
        "one_": _capital(one),
        "many": many,
        "many_": _capital(many),
        "is": "are" if plural else "is",
        "it": "they" if plural else "it",
        "It": "They" if plural else "It",
        "them": "them" if plural else "it",
        "s": "" if plural else "s",
        "was": "were" if plural else "was",
        "made": kind.made_with,
        "Made": _capital(kind.made_with),
    }


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _about(
    draws: Draws,
    slots: dict[str, str],
    attributes: Sequence[Attribute],
    sentences: Mapping[str, Sequence[str]],
) -> list[str]:
    """Return a sentence about each of some attributes, no two alike."""
    told, place = [], draws.below(1000)
    for attribute in attributes:
        text, fitting = attribute.text, sentences[attribute.form]
        slots["a"], slots["A"], slots["x"] = text, attribute.start, attribute.article + text
        told.append(fitting[place % len(fitting)].format_map(slots))
        place += 1
    return told


def _bullets(draws: Draws, slots: dict[str, str], attributes: Sequence[Attribute]) -> tuple[str, ...]:
    """Draw three to five features: two or three about attributes, as far as there are so many, and others."""
    told = _about(draws, slots, attributes[: 2 + draws.below(2)], words.BULLETS)
    count = max(1 + draws.below(2), 3 - len(told))
    others = [sentence.format_map(slots) for sentence in draws.some_of(words.PLAIN_BULLETS, count)]
    return (*others[1:], *told, others[0]) if draws.below(4) == 0 else (*told, *others)


def _description(draws: Draws, slots: dict[str, str], attributes: Sequence[Attribute]) -> str:
    sentences = [draws.one_of(words.OPENINGS).format_map(slots)]
    sentences += _about(draws, slots, attributes[-1 - draws.below(2) :], words.ABOUT)
    closing = draws.one_of(words.CLOSINGS)
    if closing:
        sentences.append(closing.format_map(slots))
    return " ".join(sentences)


def _prices(draws: Draws, kind: Kind, quality: int) -> tuple[float, ...]:
    """Draw one price, or two for one product of ten: between the kind's ends on a scale of ratios, by quality."""
    amount = kind.low * (kind.high / kind.low) ** ((quality + draws.share()) / len(words.PRAISE))
    price = round(int(amount) + draws.one_of(_ENDINGS), 2)
    if draws.below(10):
        return (price,)
    return price, round(int(price * (1.15 + 0.6 * draws.share())) + 1 + draws.one_of(_ENDINGS), 2)


class _Told(NamedTuple):
    rating: str
    reviews: tuple[Review, ...]


def _ratings(draws: Draws, slots: dict[str, str], quality: int) -> _Told:
    """Draw a rating, and up to three reviews of about as many stars; one product of twenty was never rated."""
    if draws.below(20) == 0:
        return _Told(NO_RATING, ())
    tenths = min(50, 31 + 3 * quality + draws.below(14))
    reviews: dict[str, Review] = {}
    for _ in range(draws.below(4)):
        stars = max(1, min(5, (tenths + draws.below(21) - 5) // 10))
        body = draws.one_of(words.REVIEW_BODIES[stars]).format_map(slots)
        reviews[body] = Review(draws.one_of(words.REVIEW_TITLES[stars]), str(stars), body)
    return _Told(f"{tenths / 10} out of 5 stars", tuple(reviews.values()))
