"""What changes: the effects that rows of the action table name, done to a scene's memory."""

from __future__ import annotations

from worldschool.envs.household.scene import operations as op
from worldschool.envs.household.scene.checks import (
    first_of_set,
    holder_of,
    is_close,
    is_held,
    is_open_if_it_opens,
    is_within,
)
from worldschool.envs.household.scene.memory import (
    IN,
    NOWHERE,
    ONE,
    OUT,
    ZERO,
    borrowing,
    clear,
    come_close,
    come_close_to_all,
    grab_of,
    has_trait,
    inlined,
    is_empty,
    lowest_bit,
    place_of,
    push_row,
    row,
    set_edge,
    where,
    where_word,
    write,
)
from worldschool.envs.household.scene.operations import CLOSE, FACING, HOLDS_LH, HOLDS_RH, INSIDE, ON


@borrowing
def carry(scene, state, actor, room_left):
    """Bring along what C holds: it loses its surroundings and contents, and stays INSIDE the room that C left."""
    held = scene.scratch
    count = push_row(scene, state, row(scene, HOLDS_RH, OUT, actor), held, 0)
    count = push_row(scene, state, row(scene, HOLDS_LH, OUT, actor), held, count)
    for i in range(count):
        for lost in (INSIDE, CLOSE, FACING):
            clear(scene, state, held[i], lost, OUT)
            clear(scene, state, held[i], lost, IN)
    for i in range(count):
        come_close(scene, state, actor, held[i])
        set_edge(scene, state, held[i], INSIDE, room_left, True)


@borrowing
def grab(scene, state, actor, thing, lost, room):
    """Take a thing into a free hand, out of everything it was in, and remember where it was."""
    source, found = NOWHERE, ON
    for relation in (ON, INSIDE, CLOSE):
        source = first_of_set(scene, state, row(scene, relation, OUT, thing), op.ROOM, False)
        if source >= 0:
            found = relation
            break
    hand = HOLDS_RH if is_empty(scene, state, row(scene, HOLDS_RH, OUT, actor)) else HOLDS_LH
    for relation in range(6):
        if lost >> relation & 1:
            clear(scene, state, thing, relation, OUT)
            clear(scene, state, thing, relation, IN)
    come_close(scene, state, actor, thing)
    set_edge(scene, state, actor, hand, thing, True)
    set_edge(scene, state, thing, INSIDE, room, True)
    if source >= 0:
        come_close(scene, state, actor, source)
        write(state, grab_of(scene, thing), where_word(source, found))


@borrowing
def let_go(scene, state, actor, thing):
    """Take a thing out of C's hands."""
    set_edge(scene, state, actor, HOLDS_RH, thing, False)
    set_edge(scene, state, actor, HOLDS_LH, thing, False)


@borrowing
def way_back(scene, state, actor, thing):
    """Return where a thing was grabbed from, as thing and relation; NOWHERE if C cannot put it there now."""
    source, relation = where(state.memory[grab_of(scene, thing)])
    shut = relation == INSIDE and not is_open_if_it_opens(scene, state, source)
    if shut or not is_held(scene, state, actor, thing) or not is_close(scene, state, actor, source):
        return NOWHERE, relation
    return source, relation


@borrowing
def put_back(scene, state, actor, thing):
    """Put a thing where it was grabbed from; if that cannot be done now, nothing happens, and it is no failure."""
    source, relation = way_back(scene, state, actor, thing)
    if source >= 0:
        let_go(scene, state, actor, thing)
        come_close(scene, state, actor, source)
        come_close(scene, state, thing, source)
        set_edge(scene, state, thing, relation, source, True)
        write(state, grab_of(scene, thing), ZERO)


@borrowing
def face_as(scene, state, actor, thing):
    """Face everything that a thing faces."""
    start = row(scene, FACING, OUT, thing)
    for w in range(scene.traits.shape[1]):
        rest = state.memory[start + w]
        while rest:
            set_edge(scene, state, actor, FACING, w * 64 + lowest_bit(rest), True)
            rest &= rest - ONE


@borrowing
def approach(scene, state, actor, thing):
    """Come close to a thing, to what it is INSIDE (but rooms) and to every body part."""
    come_close_to_all(scene, state, actor, INSIDE, OUT, thing, op.ROOM)
    for w in range(scene.traits.shape[1]):
        rest = scene.traits[op.BODY_PART, w]
        while rest:
            come_close(scene, state, actor, w * 64 + lowest_bit(rest))
            rest &= rest - ONE
    come_close(scene, state, actor, thing)


@borrowing
def move(scene, state, thing, relation, holder):
    """Give a thing another place."""
    place = place_of(scene, thing)
    old, how = where(state.memory[place])
    if old >= 0:
        set_place_edge(scene, state, thing, how, old, False)
    set_place_edge(scene, state, thing, relation, holder, True)
    write(state, place, where_word(holder, relation))


@borrowing
def set_place_edge(scene, state, thing, relation, holder, on):
    """Add or remove the edge that says where a thing is: a hand points to the thing, all else is pointed to."""
    if relation in (HOLDS_RH, HOLDS_LH):
        set_edge(scene, state, holder, relation, thing, on)
    else:
        set_edge(scene, state, thing, relation, holder, on)


@borrowing
def settle(scene, state, thing, facing):
    """Let a thing, with all in and on it, lose what it was CLOSE to (and FACING), and be CLOSE to what holds it."""
    todo = scene.scratch
    todo[0] = thing
    count = 1
    while count:
        count -= 1
        one = todo[count]
        clear(scene, state, one, CLOSE, OUT)
        clear(scene, state, one, CLOSE, IN)
        if facing:
            clear(scene, state, one, FACING, OUT)
            clear(scene, state, one, FACING, IN)
        come_close(scene, state, one, holder_of(scene, state, one))
        count = push_contents(scene, state, one, todo, count)


@borrowing
def push_contents(scene, state, holder, todo, count):
    """Put everything that is in, on or held by a thing onto a stack; returns its new height."""
    for relation, direction in ((ON, IN), (INSIDE, IN), (HOLDS_RH, OUT), (HOLDS_LH, OUT)):
        count = push_row(scene, state, row(scene, relation, direction, holder), todo, count)
    return count


@borrowing
def carry_all(scene, state, actor):
    """Bring along everything that C holds or wears, with all in and on it."""
    half = scene.scratch.shape[0] // 2
    mine = scene.scratch[half:]
    count = push_contents(scene, state, actor, mine, 0)
    for i in range(count):
        settle(scene, state, mine[i], True)


@borrowing
def take(scene, state, actor, thing):
    """Take a thing, with all in and on it, into a free hand, and remember where it was."""
    place = state.memory[place_of(scene, thing)]
    source, relation = where(place)
    hand = HOLDS_RH if is_empty(scene, state, row(scene, HOLDS_RH, OUT, actor)) else HOLDS_LH
    move(scene, state, thing, hand, actor)
    settle(scene, state, thing, False)
    if relation <= INSIDE and not has_trait(scene, op.ROOM, source):
        come_close(scene, state, actor, source)
    # Also of the floor: what is in a hand was grabbed, and cannot be grabbed again.
    write(state, grab_of(scene, thing), place if relation <= INSIDE else ZERO)


@borrowing
def put_to(scene, state, actor, thing, relation, holder):
    """Put a thing, with all in and on it, somewhere; C stays CLOSE to it."""
    move(scene, state, thing, relation, holder)
    settle(scene, state, thing, False)
    come_close(scene, state, actor, thing)
    write(state, grab_of(scene, thing), ZERO)


@borrowing
def give_back(scene, state, actor, thing):
    """`put_back` where one place is kept: also not into the thing itself, and with all in and on it."""
    source, relation = way_back(scene, state, actor, thing)
    if source >= 0 and not is_within(scene, state, source, thing):
        put_to(scene, state, actor, thing, relation, source)
        come_close(scene, state, actor, source)


@inlined
def change(scene, state, actor, one, effect, other, value, rooms):
    """Carry out one effect of the table; `rooms` are those of C and of X before the action."""
    if effect == op.COME_CLOSE:
        come_close(scene, state, one, other)
    elif effect == op.LINK:
        set_edge(scene, state, one, value, other, True)
    elif effect == op.UNLINK:
        set_edge(scene, state, one, value, other, False)
    elif effect == op.LEAVE:
        for relation in (INSIDE, CLOSE, FACING):
            if relation != INSIDE or not scene.one_place:  # there, entering the room is leaving the old place
                clear(scene, state, actor, relation, OUT)
                clear(scene, state, actor, relation, IN)
    elif effect == op.ENTER_ROOM_OF:
        if scene.one_place:
            move(scene, state, actor, INSIDE, rooms[1])
        else:
            set_edge(scene, state, actor, INSIDE, rooms[1], True)
    elif effect == op.APPROACH:
        if not has_trait(scene, op.ROOM, one):
            approach(scene, state, actor, one)
    elif effect == op.APPROACH_EVEN_A_ROOM:
        approach(scene, state, actor, one)
    elif effect == op.CARRY:
        carry(scene, state, actor, rooms[0])
    elif effect == op.APPROACH_CONTENTS:
        if has_trait(scene, op.CAN_OPEN, one):
            come_close_to_all(scene, state, actor, INSIDE, IN, one, -1)
    elif effect == op.APPROACH_SUPPORTS:
        come_close_to_all(scene, state, actor, ON, OUT, one, -1)
    elif effect == op.APPROACH_THINGS_ON_SURFACE:
        if has_trait(scene, op.SURFACES, one):
            come_close_to_all(scene, state, actor, ON, IN, one, -1)
    elif effect == op.GRAB:
        grab(scene, state, actor, one, value, rooms[0])
    elif effect == op.LET_GO:
        let_go(scene, state, actor, one)
    elif effect == op.FORGET_GRAB:
        write(state, grab_of(scene, one), ZERO)
    elif effect == op.LEAVE_IN_ROOM_OF_C:
        set_edge(scene, state, one, INSIDE, rooms[0], True)
    elif effect == op.PUT_BACK:
        put_back(scene, state, actor, one)
    elif effect == op.UNFACE:
        clear(scene, state, actor, FACING, OUT)
    elif effect == op.FACE_AS:
        face_as(scene, state, actor, one)
    elif effect == op.LET_GO_OF_WATER:
        if has_trait(scene, op.WATER, one):
            let_go(scene, state, actor, one)
    elif effect == op.PLACE:
        if one == actor:
            move(scene, state, actor, value, other)
        else:
            put_to(scene, state, actor, one, value, other)
    elif effect == op.PLACE_IN_ROOM_OF_C:
        if one == actor:
            move(scene, state, actor, INSIDE, rooms[0])
        else:
            put_to(scene, state, actor, one, INSIDE, rooms[0])
    elif effect == op.TAKE:
        take(scene, state, actor, one)
    elif effect == op.CARRY_ALL:
        carry_all(scene, state, actor)
    elif effect == op.RETURN:
        give_back(scene, state, actor, one)
