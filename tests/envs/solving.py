"""A scripted solver: reaches any drawn goal from any state by legal text actions, using only what a world tells.

It is the proof that drawn goals can be reached: whoever disputes one gets the plan. It knows nothing of the dynamics'
insides; each of its steps must be legal when it is made.
"""

from __future__ import annotations

from worldschool.envs.household import HouseholdEnv
from worldschool.records import Goal, Predicate


def solve(env: HouseholdEnv) -> list[str]:
    """Reach the goal of a world that the acting character has to itself; returns the actions done."""
    return Solver(env).solve()


class Solver:
    """One character at work."""

    def __init__(self, env: HouseholdEnv) -> None:
        self.env = env
        self.actor: str = env._actor
        self.done: list[str] = []
        self.ended = False
        self.read()

    # -- what is to be seen -----------------------------------------------------------------------------------------

    def read(self) -> None:
        """Read where everything is, and the states."""
        self.place: dict[str, tuple[str, str]] = {}
        self.states: dict[str, set[str]] = {}
        for fact in self.env.facts():
            if fact.relation == "HOLDS":
                self.place[fact.object] = ("HOLDS", fact.subject)
            elif fact.relation == "STATE":
                self.states.setdefault(fact.subject, set()).add(fact.object)
            else:
                self.place[fact.subject] = (fact.relation, fact.object)

    def chain(self, name: str) -> list[str]:
        """Return what a thing is in, on or held by, up to the room."""
        found = []
        while name in self.place:
            name = self.place[name][1]
            found.append(name)
        return found

    def things_in(self, relation: str, holder: str) -> list[str]:
        return sorted(name for name, place in self.place.items() if place == (relation, holder))

    def is_on(self, name: str) -> bool:
        return "on" in self.states.get(name, set())

    def holds(self, predicate: Predicate) -> bool:
        return self.env.satisfied(Goal("", (predicate,)))[0]

    # -- what is done -----------------------------------------------------------------------------------------------

    def do(self, action: str) -> None:
        """Do one action, which must be legal."""
        if self.ended:
            return
        assert action in self.env.legal_actions(), (action, self.done, self.env.goal)
        _, _, terminated, truncated, info = self.env.step(action)
        assert info["error"] is None, (action, info["error"])
        self.done.append(action)
        self.ended = terminated or truncated
        self.read()

    def walk(self, name: str) -> None:
        self.do(f"walk to {name}")

    def open(self, name: str) -> None:
        """Open a container; what runs has to be switched off first."""
        if "closed" in self.states.get(name, set()):
            self.walk(name)
            if self.is_on(name):
                self.do(f"switch off {name}")
            self.do(f"open {name}")

    def reach_into(self, thing: str) -> None:
        """Open all that a thing is shut in, the outermost first."""
        for place in reversed(self.chain(thing)):
            self.open(place)

    def take(self, thing: str) -> None:
        """Take a thing into a hand, wherever it is."""
        if self.place[thing] == ("HOLDS", self.actor):
            return
        if self.place[thing] == ("ON", self.actor):
            self.do(f"take off {thing}")
        self.reach_into(thing)
        self.walk(thing)
        self.do(f"grab {thing}")

    def drop_all(self) -> None:
        for thing in self.things_in("HOLDS", self.actor):
            self.do(f"drop {thing}")

    # -- goals ------------------------------------------------------------------------------------------------------

    def solve(self) -> list[str]:
        """Reach the goal, in an order in which no step undoes an earlier one."""
        if {"sitting", "lying"} & self.states.get(self.actor, set()):
            self.do("stand up")
        self.drop_all()
        predicates = self.env.goal.predicates
        # What is to be held is taken out of what may have to be closed.
        for name, _, thing in predicates:
            if name == "HOLDS" and not self.ended and len(self.chain(str(thing))) > 1:
                self.take(str(thing))
                self.do(f"drop {thing}")
        for stage in (self.clean, self.put, self.switch, self.wear, self.hold, self.go, self.rest):
            for predicate in sorted(predicates, key=str):
                if not self.ended and not self.holds(predicate):
                    stage(*predicate)
        return self.done

    def clean(self, name: str, subject: str, target: str | None) -> None:
        if name != "STATE:clean":
            return
        self.walk(subject)
        if f"wash {subject}" in self.env.legal_actions():
            self.do(f"wash {subject}")
            return
        cloth = next(one for one in sorted(self.place) if self.is_grabbable(one))
        self.take(cloth)
        self.walk(subject)
        self.do(f"wipe {subject}")
        self.do(f"drop {cloth}")

    def is_grabbable(self, name: str) -> bool:
        return self.env._now().premises.house.kind_of[name] == "object"

    def put(self, name: str, subject: str, target: str | None) -> None:
        if name not in ("ON", "INSIDE") or self.actor in (subject, target):
            return
        assert target is not None
        self.take(subject)
        if target not in self.place and target in self.env._now().premises.house.rooms:
            self.walk(target)
            self.do(f"drop {subject}")
            return
        self.reach_into(target)
        if name == "INSIDE":
            self.open(target)
        self.walk(target)
        self.do(f"put {subject} {'on' if name == 'ON' else 'in'} {target}")

    def switch(self, name: str, subject: str, target: str | None) -> None:
        verbs = {"open": "open", "closed": "close", "on": "switch on", "off": "switch off"}
        verbs |= {"plugged_in": "plug in", "plugged_out": "unplug"}
        state = name.removeprefix("STATE:")
        if not name.startswith("STATE:") or state not in verbs:
            return
        self.walk(subject)
        if state == "on" and "plugged_out" in self.states[subject]:
            self.do(f"plug in {subject}")
        if state == "open" and self.is_on(subject):
            self.do(f"switch off {subject}")
        self.do(f"{verbs[state]} {subject}")

    def wear(self, name: str, subject: str, target: str | None) -> None:
        if name == "ON" and target == self.actor:
            self.take(subject)
            self.do(f"wear {subject}")

    def hold(self, name: str, subject: str, target: str | None) -> None:
        if name == "HOLDS":
            self.take(str(target))

    def go(self, name: str, subject: str, target: str | None) -> None:
        if name == "AT":
            self.walk(str(target))

    def rest(self, name: str, subject: str, target: str | None) -> None:
        """Sit or lie where it is asked for, having cleared the seat."""
        if name != "ON" or subject != self.actor:
            return
        assert target is not None
        lies = ("STATE:lying", subject, None) in self.env.goal.predicates
        action = f"{'lie' if lies else 'sit'} on {target}"
        self.walk(target)
        held = self.things_in("HOLDS", self.actor)
        for thing in self.things_in("ON", target):
            if action in self.env.legal_actions():
                break
            if len(held) == 2:
                self.do(f"drop {held[1]}")
            self.do(f"grab {thing}")
            self.do(f"drop {thing}")
        for thing in held:
            if self.place[thing] != ("HOLDS", self.actor):
                self.take(thing)
        if self.things_in("ON", target) or len(held) == 2:
            self.walk(target)
        self.do(action)
