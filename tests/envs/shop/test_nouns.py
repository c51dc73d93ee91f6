"""Nouns by spaCy: an error that says what to install, and with it the recorded nouns."""

from __future__ import annotations

import builtins
import sys
from importlib.util import find_spec
from types import SimpleNamespace

import pytest

from tests.envs.shop.recorded import lines, needs_recordings
from worldschool.envs.shop import nouns
from worldschool.errors import WorldError


@pytest.fixture(autouse=True)
def no_model_kept():
    nouns._language.cache_clear()
    yield
    nouns._language.cache_clear()


def test_without_spacy_the_error_names_the_extra(monkeypatch):
    imported = builtins.__import__

    def refuse(name, *rest):
        if name == "spacy":
            raise ImportError("No module named 'spacy'")
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    monkeypatch.delitem(sys.modules, "spacy", raising=False)
    with pytest.raises(
        WorldError, match=r"shop: nouns: .*worldschool\[spacy\].*spacy download en_core_web_sm"
    ):
        nouns.nouns_of(["a lamp"])


def test_without_the_model_the_error_names_it(monkeypatch):
    monkeypatch.setitem(
        sys.modules, "spacy", SimpleNamespace(util=SimpleNamespace(is_package=lambda _: False))
    )
    with pytest.raises(
        WorldError, match="model en_core_web_sm is not installed.*spacy download en_core_web_sm"
    ):
        nouns.nouns_of(["a lamp"])


def test_nouns_and_names_are_kept_in_lower_case_and_in_order(monkeypatch):
    tags = {"Soy": "PROPN", "glows": "VERB", "lamp": "NOUN", "Lamp": "NOUN"}

    def pipe(texts):
        for text in texts:
            yield [SimpleNamespace(text=word, pos_=tags[word]) for word in text.split()]

    monkeypatch.setattr(nouns, "_language", lambda: SimpleNamespace(pipe=pipe))
    monkeypatch.setattr(nouns._language, "cache_clear", lambda: None, raising=False)
    assert nouns.nouns_of(["Lamp glows Soy lamp", "", "glows"]) == [("lamp", "soy", "lamp"), (), ()]


@needs_recordings
@pytest.mark.skipif(
    not any(find_spec(name) for name in nouns.MODELS), reason="spaCy's model en_core_web_sm is not installed"
)
def test_the_recorded_nouns_are_found():
    known = {}
    for case in lines("reward_*.jsonl.gz"):
        for side, field in (("goal", "goal"), ("purchased", "purchased")):
            known[case[field]["name"]] = tuple(case["nouns"][side])
    assert nouns.nouns_of(known) == list(known.values())
