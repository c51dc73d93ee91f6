"""What a shopper is told, in varied English: composed of openings, and of ways to name attributes, options and a bound.

A template is such a text with its values taken out. Each belongs to one split by its text, so that no instruction of one split
is worded as one of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from worldschool.canonical import blake2b_hex
from worldschool.envs.shop.generated.draws import Draws
from worldschool.envs.shop.generated.kinds import Attribute, Kind, article_of
from worldschool.records import Split
from worldschool.splits import TRAIN_SHARE, VALIDATION_SHARE

OPENINGS = (
    "I need {thing}", "I am looking for {thing}", "I'm looking for {thing}", "I want {thing}", "I want to buy {thing}",
    "Find me {thing}", "Please find me {thing}", "Looking for {thing}", "Looking to buy {thing}", "I would like {thing}",
    "I'd like to order {thing}", "I am trying to find {thing}", "Get me {thing}", "Help me find {thing}",
    "Show me {thing}", "I'm in need of {thing}", "I am shopping for {thing}", "Buy me {thing}", "I could use {thing}",
    "My friend needs {thing}", "We need {thing}", "I have to get {thing}", "I'm interested in {thing}", "In search of {thing}",
    "Can you find me {thing}", "Could you get me {thing}", "Do you have {thing}", "Where can I find {thing}",
)  # fmt: skip
_QUESTIONS = ("Can ", "Could ", "Do ", "Where ")
BOUNDS = (
    ", and price lower than {price}.00 dollars", " under {price} dollars", ", under ${price}", " for less than {price} dollars",
    ", priced below {price} dollars", ", costing less than ${price}", " below ${price}", ", for no more than {price} dollars",
)  # fmt: skip
BOUND_SENTENCES = (
    " My budget is {price} dollars.", " {It} should cost less than {price} dollars.", " I can spend up to ${price}.",
    " Keep it under {price} dollars.", " I don't want to pay more than ${price}.", " Price lower than {price}.00 dollars.",
)  # fmt: skip
BOUND_STARTS = ("For under {price} dollars, ", "With {price} dollars to spend, ", "On a budget of ${price}: ")
ATTRIBUTE_SENTENCES = (
    " {It} should {told}.", " {It} ought to {told}.", " {It} must {told}.", " Ideally {it} would {told}.", " I'd like {them} to {told}.",
)  # fmt: skip
OPTION_SENTENCES = (
    " I want {them} {told}.", " Choose {them} {told}.", " Please pick {them} {told}.", " I'd take {them} {told}.", " Ideally {told}.",
)  # fmt: skip
ENDINGS = ("", "", "", "", " Thanks.", " Thank you.")
OPTION_FORMS = {
    "color": ("in {value}", "in the color {value}", "in {value} color", "with the color {value}"),
    "size": ("in size {value}", "in a size {value}", "with the size {value}"),
    "scent": ("with the scent {value}", "in the {value} scent", "with {value} scent"),
    "pack": ("in the pack size {value}", "with the pack size {value}"),
    "count": ("in a {value} box", "in the box of {value}"),
    "pieces": ("as a {value} set", "in the {value} set"),
    "flavor": ("in {value} flavor", "with the flavor {value}", "in the flavor {value}"),
}
"""How an option is told; {value} is its value."""
_OTHER_FORMS = (
    "with {name} {value}",
    "with the {name} {value}",
    "in the {name} {value}",
    "with {value} as the {name}",
)
_TRIES = 400


class Wording(NamedTuple):
    """An instruction, and the template it was made from."""

    text: str
    template: str


def instruction_of(
    draws: Draws,
    kind: Kind,
    attributes: Sequence[Attribute],
    options: Iterable[tuple[str, str]],
    bound: int | None,
    split: Split,
) -> Wording | None:
    """Return an instruction of a split.

    Args:
        draws: decides the wording.
        kind: what is wanted.
        attributes: what it should be, be made of or have.
        options: (name, value) to be chosen.
        bound: dollars that it may cost at most; None: no bound is told.
        split: whose templates may be used.

    Returns:
        None if no template of the split was found in a long time.
    """
    options = tuple(options)
    for _ in range(_TRIES):
        wording = _wording(draws, kind, attributes, options, bound)
        if split_of_template(wording.template) == split:
            return wording
    return None


def split_of_template(template: str) -> Split:
    """Return the split that a template belongs to, by its text: 60% train, 20% validation, 20% heldout."""
    number = int(blake2b_hex(f"instruction: {template}"), 16) % 100
    if number < TRAIN_SHARE:
        return "train"
    return "validation" if number < TRAIN_SHARE + VALIDATION_SHARE else "heldout"


def _wording(
    draws: Draws,
    kind: Kind,
    attributes: Sequence[Attribute],
    options: Sequence[tuple[str, str]],
    bound: int | None,
) -> Wording:
    """Draw a wording: a first sentence with what is wanted, and what is not told there in further ones."""
    name = draws.one_of(kind.names)
    plural = kind.is_plural(name)
    pronouns = (
        {"It": "They", "it": "they", "them": "them"} if plural else {"It": "It", "it": "it", "them": "it"}
    )
    before, after = _parted(draws, name, attributes)
    values = {**pronouns, "thing": _thing(draws, kind, name, before), "price": str(bound)}
    first, further = draws.one_of(OPENINGS), ""
    end = "?" if first.startswith(_QUESTIONS) else "."
    if after:
        if draws.below(3):
            first += _joined(draws, _clauses(after, kind, plural, values))
        else:
            further += _with(draws.one_of(ATTRIBUTE_SENTENCES), " and ".join(_demands(after, kind, values)))
    if options:
        told = " and ".join(_chosen(draws, options, values))
        if draws.below(3):
            first += draws.one_of((", ", " ")) + told
        else:
            further += _with(draws.one_of(OPTION_SENTENCES), told)
    if bound is not None:
        place = draws.below(8)
        if place < 5:
            first += draws.one_of(BOUNDS)
        elif place < 7:
            further += draws.one_of(BOUND_SENTENCES)
        else:
            first = draws.one_of(BOUND_STARTS) + (
                first if first.startswith("I") else first[0].lower() + first[1:]
            )
    template = f"{first}{end}{further}{draws.one_of(ENDINGS)}"
    return Wording(_cased(draws, template.format_map(values)), template.lower())


def _parted(
    draws: Draws, name: str, attributes: Sequence[Attribute]
) -> tuple[list[Attribute], list[Attribute]]:
    """Part attributes into those told before the name ("long lasting candle") and after it ("candle with a wick").

    What has a word of the name comes after it: nobody writes "wall mounted wall clock".
    """
    before: list[Attribute] = []
    after: list[Attribute] = []
    for attribute in attributes:
        free = attribute.form != "has" and not set(name.split()) & set(attribute.text.split())
        (before if free and draws.below(2) else after).append(attribute)
    return before, after


def _with(sentence: str, told: str) -> str:
    return sentence.replace("{told}", told)


def _thing(draws: Draws, kind: Kind, name: str, before: Sequence[Attribute]) -> str:
    told = draws.one_of((" ", ", ")).join(attribute.text for attribute in before)
    phrase = f"{told} {name}".strip()
    if kind.article == "a":
        return f"{article_of(phrase)} {phrase}"
    return f"{kind.article} {phrase}".strip()


def _clauses(attributes: Sequence[Attribute], kind: Kind, plural: bool, values: dict[str, str]) -> list[str]:
    """Return what follows a name, one clause a form, slots in place of the attributes, which go to `values`."""
    heads = {"is": "that are" if plural else "that is", "made": kind.made_with, "has": "with"}
    return [f"{heads[form]} {slots}" for form, slots in _by_form(attributes, values).items()]


def _demands(attributes: Sequence[Attribute], kind: Kind, values: dict[str, str]) -> list[str]:
    heads = {"is": "be", "made": f"be {kind.made_with}", "has": "come with"}
    return [f"{heads[form]} {slots}" for form, slots in _by_form(attributes, values).items()]


def _by_form(attributes: Sequence[Attribute], values: dict[str, str]) -> dict[str, str]:
    slots: dict[str, list[str]] = {}
    for number, attribute in enumerate(attributes):
        values[f"a{number}"] = attribute.article + attribute.text
        slots.setdefault(attribute.form, []).append(f"{{a{number}}}")
    return {form: " and ".join(slots[form]) for form in ("is", "made", "has") if form in slots}


def _joined(draws: Draws, clauses: Sequence[str]) -> str:
    if len(clauses) == 1:
        return f" {clauses[0]}"
    return f" {', '.join(clauses[:-1])}{draws.one_of((', ', ' and ', ', and '))}{clauses[-1]}"


def _chosen(draws: Draws, options: Sequence[tuple[str, str]], values: dict[str, str]) -> list[str]:
    told = []
    for number, (name, value) in enumerate(options):
        slot = f"o{number}"
        values[slot] = value
        form = draws.one_of(OPTION_FORMS.get(name, _OTHER_FORMS))
        told.append(form.replace("{value}", f"{{{slot}}}").replace("{name}", name))
    return told


def _cased(draws: Draws, text: str) -> str:
    """Return a text as it is, or as people type into a search box: in lower case, the last full stop left out."""
    return text if draws.below(2) else text.lower().removesuffix(".")
