"""A model's answers kept in a file, and given again: agents can be tried without their model, and do the same each time.

One JSON object a line: {"ask": "score", "choose", "generate", "count" or "context", "key": sha256 of what was asked, "answer": ...}.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

from worldschool.canonical import canonical_json
from worldschool.errors import ModelError
from worldschool.models.language import CompletionScore, ProbedModel
from worldschool.progress import Advance, silent

RECORDED = "recorded:"
"""What the name of a file of answers begins with."""


class RecordedModel:
    """Gives recorded answers; with a model behind it, asks that one what is not recorded yet, and records it.

    Args:
        path: the file; made when the first answer is recorded.
        model: asked where there is no answer; None: that is an error.

    Raises:
        ModelError: the file is missing, and there is no model, or it is damaged.
    """

    def __init__(self, path: Path | str, model: ProbedModel | None = None) -> None:
        self._path, self._model = Path(path), model
        self.name = f"{RECORDED}{path}"
        self._answers = self._read()
        self.context_length: int = self._asked("context", [], lambda model: model.context_length)
        self.fingerprint = hashlib.sha256(f"recorded/1 {sorted(self._answers)}".encode()).hexdigest()

    def _read(self) -> dict[str, Any]:
        if not self._path.exists() and self._model is not None:
            return {}
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
            rows = [json.loads(line) for line in lines]
            return {f"{row['ask']} {row['key']}": row["answer"] for row in rows}
        except OSError as error:
            raise ModelError(f"it cannot be read: {error.strerror}", where=str(self._path)) from None
        except (ValueError, KeyError, TypeError):
            raise ModelError("this is no file of recorded answers", where=str(self._path)) from None

    def score(
        self, prompts: Sequence[str], completions: Sequence[Sequence[str]], advance: Advance = silent
    ) -> list[list[CompletionScore]]:
        """See `LanguageModel.score`."""

        def ask(model: ProbedModel) -> Any:
            return [[astuple(one) for one in row] for row in model.score(prompts, completions, advance)]

        rows = self._asked("score", [list(prompts), [list(row) for row in completions]], ask)
        return [[CompletionScore(*one) for one in row] for row in rows]

    def choose(
        self, prompts: Sequence[str], completions: Sequence[Sequence[str]], advance: Advance = silent
    ) -> list[int]:
        """See `ProbedModel.choose`."""
        asked = [list(prompts), [list(row) for row in completions]]
        found: list[int] = self._asked(
            "choose", asked, lambda model: model.choose(prompts, completions, advance)
        )
        return found

    def generate(self, prompts: Sequence[str], max_new_tokens: int, advance: Advance = silent) -> list[str]:
        """See `LanguageModel.generate`."""
        asked = [list(prompts), max_new_tokens]
        found: list[str] = self._asked(
            "generate", asked, lambda model: model.generate(prompts, max_new_tokens, advance)
        )
        return found

    def count_tokens(self, texts: Sequence[str]) -> list[int] | None:
        """See `ProbedModel.count_tokens`."""
        found: list[int] | None = self._asked("count", list(texts), lambda model: model.count_tokens(texts))
        return found

    def _asked(self, ask: str, what: Any, of: Callable[[ProbedModel], Any]) -> Any:
        key = hashlib.sha256(canonical_json(what).encode()).hexdigest()
        name = f"{ask} {key}"
        if name not in self._answers:
            if self._model is None:
                raise ModelError(
                    f"no answer to this is recorded ({ask}, {str(what)[:80]}...)",
                    where=str(self._path),
                    mend="Record it anew: something that is asked has changed.",
                )
            self._answers[name] = json.loads(json.dumps(of(self._model)))
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"ask": ask, "key": key, "answer": self._answers[name]}) + "\n")
        return self._answers[name]
