"""Where everything is, worked out from an episode's initial facts and events alone.

Builders take their answers from here and never from text; a test holds it equal to the simulator's own state.
"""

from __future__ import annotations

from collections.abc import Iterable

from worldschool.records import Event, Fact


class Tracker:
    """Follows every thing and character through events.

    Args:
        facts: what held at the start.
    """

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._place: dict[str, tuple[str, str]] = {}
        for fact in facts:
            if fact.relation == "HOLDS":
                self._place[fact.object] = ("HOLDS", fact.subject)
            elif fact.relation != "STATE":
                self._place[fact.subject] = (fact.relation, fact.object)

    def apply(self, event: Event) -> None:
        """Take one event into account; failed ones change nothing."""
        if not event.succeeded or event.target is None:
            return
        if event.verb == "walk":
            self._place[event.actor] = ("AT", event.target)
        elif event.object is not None and event.relation is not None:
            self._place[event.object] = (event.relation, event.target)

    def place(self, name: str) -> tuple[str, str] | None:
        """Return the relation and the place, holder or vessel that `name` is at, or None for a room."""
        return self._place.get(name)

    def chain(self, name: str) -> list[str]:
        """Return what holds or contains `name`, innermost first; the last is its room."""
        found = []
        while (place := self._place.get(name)) is not None:
            name = place[1]
            found.append(name)
        return found

    def room(self, name: str) -> str | None:
        """Return the room that `name` is in (the last of its chain), or None if it is nowhere known."""
        chain = self.chain(name)
        return chain[-1] if chain else None

    def contents(self, place: str, relation: str) -> list[str]:
        """Return what is directly ON or INSIDE `place`, sorted."""
        return sorted(name for name, where in self._place.items() if where == (relation, place))
