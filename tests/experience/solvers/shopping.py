"""Questions about shopping answered from their text: products as they are described, pages as they are shown.

Nothing of worldschool is imported: forms were written down here by reading prompts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Described:
    """A product as one line tells of it."""

    asin: str
    price: float
    text: str

    def values(self, name: str) -> list[str]:
        """The values that an option is told to have; none if it has no such option."""
        found = re.search(rf"\. {re.escape(name)}: (.+?)\.(?: |$)", self.text)
        return found[1].split(", ") if found else []

    def meets(self, part: str) -> bool:
        """Whether the line says that the product is so."""
        if bound := re.fullmatch(r"at most ([\d.]+) dollars", part):
            return self.price <= float(bound[1])
        name, colon, value = part.partition(": ")
        if colon:
            return value in self.values(name)
        return part in self.text.lower()


def read_product(line: str) -> Described:
    """Return what a line says of a product.

    Raises:
        ValueError: it is no such line.
    """
    found = re.match(r"(?P<asin>\w+): .*?\. \$(?P<price>[\d.]+?)(?:\. |$)", line)
    if found is None:
        raise ValueError(f"which product is this? {line!r}")
    return Described(found["asin"], float(found["price"]), line)


def read_parts(instruction: str) -> list[str]:
    """Return what an instruction asks for, its kind of thing left out."""
    return instruction.partition(": ")[2].split("; ")


def answer(prompt: str) -> str:
    """Return the answer to a prompt about shopping.

    Raises:
        ValueError: the prompt cannot be read, or does not have one answer.
    """
    for pattern, reply in _FORMS:
        if found := re.fullmatch(pattern, prompt, re.DOTALL):
            return reply(found)
    raise ValueError(f"what is asked? {prompt!r}")


def _only(found: list[str]) -> str:
    if len(found) != 1:
        raise ValueError(f"not one answer: {found}")
    return found[0]


def _fits(found: re.Match[str]) -> str:
    parts = read_parts(found["instruction"])
    products = [read_product(line) for line in found["products"].split("\n")]
    return _only([one.asin for one in products if all(map(one.meets, parts))])


def _missed(found: re.Match[str]) -> str:
    products = {one.asin: one for one in map(read_product, found["products"].split("\n"))}
    return _only([part for part in found["options"].split("; ") if not products[found["asin"]].meets(part)])


def _priced(found: re.Match[str]) -> str:
    order = sorted(map(read_product, found["products"].split("\n")), key=lambda one: one.price)
    if len({one.price for one in order}) < len(order):
        raise ValueError("two cost the same")
    number = ("", "second", "third", "fourth").index((found["number"] or "").strip())
    return (order if found["end"] == "least" else order[::-1])[number].asin


_CHOICES = (
    r"chose (?P<what>.+) for product (?P<asin>\w+)",
    r"picked (?P<what>.+) for product (?P<asin>\w+)",
    r"For product (?P<asin>\w+) (?:the shopper )?selected (?P<what>.+)",
)


def _chosen(found: re.Match[str]) -> str:
    values = []
    for sentence in re.split(r"\.(?: |$)", found["story"]):
        told = re.sub(r"^The shopper ", "", sentence)
        told = told if told.startswith("For ") else told[:1].lower() + told[1:]
        for pattern in _CHOICES:
            said = re.fullmatch(pattern, told)
            if said and said["asin"] == found["asin"] and said["what"].startswith(f"{found['name']}: "):
                values.append(said["what"].removeprefix(f"{found['name']}: "))
    place = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}[found["place"]]
    return values[place]


def _clicked(found: re.Match[str]) -> str:
    page, options = found["page"], found["options"].split("; ")
    instruction, _, shown = page.partition("Instruction: ")[2].partition(" [button] Back to Search ")
    price = float(shown.partition("Price: $")[2].split()[0])
    wrong = []
    for part in read_parts(instruction):
        if bound := re.fullmatch(r"at most ([\d.]+) dollars", part):
            if price > float(bound[1]):
                return _only([one for one in options if one.startswith("go back")])
            continue
        name, _, value = part.partition(": ")
        labels = (value, part)
        if not any(f"[clicked button] {label} [clicked button_]" in shown for label in labels):
            wrong.append(f"choose another {name}")
    return _only(wrong) if wrong else _only([one for one in options if one.startswith("buy")])


def _planned(found: re.Match[str]) -> str:
    parts = read_parts(found["instruction"])
    products = [read_product(line) for line in found["products"].split("\n")]
    asin = _only([one.asin for one in products if all(map(one.meets, parts))])
    steps = [f'Search for "{found["query"]}".', f'Click on "{asin.lower()}".']
    for part in parts:
        _, colon, value = part.partition(": ")
        if colon:
            steps.append(f'Click on "{value.lower()}".')
    return " ".join([*steps, "Buy it now."])


_INSTRUCTION = r"Instruction: (?P<instruction>[^\n]+)\n"
_PRODUCTS = r"(?P<products>.+)\n"
_OPTIONS = r"Choose from: (?P<options>.+)\."
_MISSED = r"Which part of the instruction does product (?P<asin>\w+) not meet\?"
_CHOSEN = r"Which (?P<name>.+) was chosen (?P<place>\w+) for product (?P<asin>\w+)\?"
_PRICED = r"Which product costs (?P<number>\w+ )?(?P<end>least|most)\?"
_FORMS: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (
        rf"{_INSTRUCTION}Products:\n{_PRODUCTS}Question: Which product fits the instruction\?\nAnswer:",
        _fits,
    ),
    (rf"{_INSTRUCTION}Products:\n{_PRODUCTS}Question: {_MISSED} {_OPTIONS}\nAnswer:", _missed),
    (rf"{_PRODUCTS}Question: {_PRICED}\nAnswer:", _priced),
    (rf"(?P<story>[^\n]+)\nQuestion: {_CHOSEN} {_OPTIONS}\nAnswer:", _chosen),
    (rf"Page: (?P<page>[^\n]+)\nQuestion: What is to be done next\? {_OPTIONS}\nAnswer:", _clicked),
    (rf'{_INSTRUCTION}A search for "(?P<query>[^"]+)" finds:\n{_PRODUCTS}Steps:', _planned),
)
READABLE = (
    "fitting_product",
    "violated_constraint",
    "price_comparison",
    "chosen_option",
    "next_click",
    "shopping_plan",
)
"""Tasks about shopping whose answers follow from the text alone."""
