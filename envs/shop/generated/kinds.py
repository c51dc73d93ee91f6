"""Kinds of product: what they are called, what they can be, be made of and have, and what can be chosen of them.

The tables are in one file a department. Their strings read: groups parted by ";", alternatives of a group (of which a product
has one at most) by "/", names by ",". Kinds of one family share its groups, and so words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from worldschool.envs.shop.generated.options import POOLS

Form: TypeAlias = Literal["is", "made", "has"]
PATH_SEPARATOR = " › "


@dataclass(frozen=True)
class Attribute:
    """Something a product can be ("machine washable"), be made of ("soy wax") or have ("side pockets").

    Attributes:
        text: in lower case.
        form: "is", "made" or "has".
        title: as titles write it.
        start: as a sentence's beginning.
        article: "a ", "an " or "", before what is had.
    """

    text: str
    form: Form
    title: str
    start: str
    article: str = ""


@dataclass(frozen=True)
class Row:
    """A kind as the tables give it; what is empty comes from the family alone.

    Attributes:
        names: the first is its name, the others mean the same.
        path: below the family's path.
        price: dollars of a plain one and of the dearest.
        shape: of its picture.
        made, is_, has: groups of attributes.
        options: "name=pool" parted by ",".
        uses: whom or what for, parted by ",".
        article: "a", "a pair of", "some" or "".
        query: the phrase that finds it; empty: its name in the plural.
    """

    names: str
    path: str
    price: tuple[float, float]
    shape: str
    made: str = ""
    is_: str = ""
    has: str = ""
    options: str = ""
    uses: str = ""
    article: str = "a"
    query: str = ""


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of product; equal to itself only, which makes it a fast key.

    Attributes:
        names, titles: what it is called, and as titles write it.
        department: beauty, electronics, fashion, garden or grocery.
        query: phrase that finds it; no two kinds have the same.
        path: the departments it is under, joined by " › ".
        low, high: dollars.
        shape: of its picture.
        groups: a product has one attribute at most of each.
        options: (name, values).
        uses: whom or what for.
        article: before its name in a sentence; "a" stands for "an" too.
        made_with: "made with" or "made of".
    """

    names: tuple[str, ...]
    titles: tuple[str, ...]
    department: str
    query: str
    path: str
    low: float
    high: float
    shape: str
    groups: tuple[tuple[Attribute, ...], ...]
    options: tuple[tuple[str, tuple[str, ...]], ...]
    uses: tuple[str, ...]
    article: str
    made_with: str

    def is_plural(self, name: str) -> bool:
        """Return whether a sentence says "these" of one of the kind's names."""
        return self.article in _PLURAL_ARTICLES or (self.article == "some" and name.endswith("s"))


def family(
    department: str,
    path: str,
    rows: Iterable[Row],
    made: str = "",
    is_: str = "",
    has: str = "",
    options: str = "",
    uses: str = "",
) -> tuple[Kind, ...]:
    """Return the kinds of a family; its attributes, options and uses are added to each one's own."""
    return tuple(_kind(department, path, row, made, is_, has, options, uses) for row in rows)


def _kind(
    department: str, path: str, row: Row, made: str, is_: str, has: str, options: str, uses: str
) -> Kind:
    names = tuple(_parts(row.names, ","))
    own = dict(part.split("=") for part in _parts(f"{row.options}, {options}", ","))
    return Kind(
        names=names,
        titles=tuple(titled(name) for name in names),
        department=department,
        query=row.query or (plural_of(names[0]) if row.article == "a" else names[0]),
        path=f"{path}{PATH_SEPARATOR}{row.path}",
        low=row.price[0],
        high=row.price[1],
        shape=row.shape,
        groups=(
            *_groups(row.made or made, "made"),
            *_groups(f"{row.is_}; {is_}", "is"),
            *_groups(f"{row.has}; {has}", "has"),
        ),
        options=tuple((name, POOLS[pool]) for name, pool in own.items() if pool != "none"),
        uses=tuple(f"the {use}" if use in _PLACES else use for use in _parts(f"{row.uses}, {uses}", ",")),
        article=row.article,
        made_with="made with" if department in ("beauty", "grocery") else "made of",
    )


def _groups(text: str, form: Form) -> list[tuple[Attribute, ...]]:
    return [tuple(_attribute(one, form) for one in _parts(group, "/")) for group in _parts(text, ";")]


def _attribute(text: str, form: Form) -> Attribute:
    """Read an attribute; a star before it says that there is one of it, which a sentence gives an article."""
    text, has_article = text.lower().removeprefix("*"), text.startswith("*")
    title, (first, *others) = titled(text), text.split(" ")
    start = " ".join((titled(first), *others))
    return Attribute(text, form, title, start, f"{article_of(text)} " if has_article else "")


def _parts(text: str, separator: str) -> list[str]:
    return [part.strip() for part in text.split(separator) if part.strip()]


_PLACES = frozenset(
    _parts(
        "living room, bedroom, bathroom, office, entryway, guest room, dorm, dining room, home office, study, patio, kitchen, "
        "backyard, balcony, deck, gym, car",
        ",",
    )
)


def titled(text: str) -> str:
    """Return a phrase as titles write it."""
    return " ".join(_ABBREVIATIONS.get(word) or word[:1].upper() + word[1:] for word in text.split(" "))


def article_of(phrase: str) -> str:
    """Return "a" or "an", as a phrase is spoken."""
    if phrase.startswith(("usb", "usda", "uv ", "uni", "one ")):
        return "a"
    return (
        "an"
        if phrase.startswith(("a", "e", "i", "o", "u", "hdmi", "led ", "msg", "spf", "rgb", "rfid", "x"))
        else "a"
    )


def plural_of(name: str) -> str:
    """Return the plural of a name."""
    for one, many in _IRREGULAR.items():
        if name.endswith(one):
            return name.removesuffix(one) + many
    if name.endswith(("s", "sh", "ch", "x")):
        return f"{name}es"
    if name.endswith("y") and name[-2] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}s"


_PLURAL_ARTICLES = ("", "a pair of")
_IRREGULAR = {"mouse": "mice", "shelf": "shelves", "scarf": "scarves", "knife": "knives"}
_ABBREVIATIONS = {
    word.lower(): word for word in _parts("LED USB HDMI TV SPF BPA GMO USDA UV GPS RGB RFID SD MSG", " ")
}
_ABBREVIATIONS |= {word: word for word in ("of", "and", "for", "with", "in", "the", "to")}
