"""Plans without needless steps, compiled: leave out what the goal does not need, and see by doing the rest."""

from __future__ import annotations

from worldschool.envs.household.scene.memory import borrowing, undo
from worldschool.envs.household.search.tree import actor_at, attempt, let_others_act


@borrowing
def replay(scene, table, state, task, scratch, actions, count, first, last):
    """Do a plan without its steps `first` to `last` - 1; returns after how many steps the goal was reached, or 0.

    Every step has to be possible. Everything is taken back.
    """
    scratch.generator[0] = scratch.begun[0]
    done = 0
    reached_after = 0
    for i in range(count):
        if first <= i < last:
            continue
        if done >= task.horizon:
            break
        if not attempt(scene, table, state, task, actions[i], actor_at(scene, task, done)):
            break
        done += 1
        if let_others_act(scene, table, state, task, scratch):
            reached_after = done
            break
    undo(state, 0)
    return reached_after


@borrowing
def shorten(scene, table, state, task, scratch, actions, count):
    """Leave out of a plan every step and every run of steps that the goal does not need; returns how many are left.

    The longest runs go first. `actions` is written to.
    """
    count = replay(scene, table, state, task, scratch, actions, count, 0, 0)
    before = count + 1
    while count < before:
        before = count
        size = count - 1
        while size > 0:
            first = 0
            while first + size <= count:
                left = replay(scene, table, state, task, scratch, actions, count, first, first + size)
                if left:
                    for i in range(first, count - size):
                        actions[i] = actions[i + size]
                    count = left
                else:
                    first += 1
            size = min(size - 1, count - 1)
    return count
