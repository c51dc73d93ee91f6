"""Replaying programs: what dialects do differently, what is refused, what a person is shown."""

from __future__ import annotations

import copy
import json

import pytest
from typer.testing import CliRunner

from worldschool.envs.household import replay
from worldschool.envs.household.scene.actions import ROWS
from worldschool.envs.household.scene.dialects import DIALECTS
from worldschool.envs.household.scene.graph import GraphError, SceneGraph
from worldschool.envs.household.scene.program import ProgramError, parse_program
from worldschool.envs.household.scene.reasons import REASONS
from worldschool.errors import UserError


def node(id_, class_name, *properties, states=(), category="Objects"):
    return {
        "id": id_,
        "class_name": class_name,
        "category": category,
        "properties": list(properties),
        "states": list(states),
    }


def edge(source, relation, target):
    return {"from_id": source, "relation_type": relation, "to_id": target}


SCENE = {
    "nodes": [
        node(1, "kitchen", category="Rooms"),
        node(2, "bedroom", category="Rooms"),
        node(3, "character", category="Characters"),
        node(4, "fridge", "CAN_OPEN", "CONTAINERS", states=["CLOSED"]),
        node(5, "bowl", "GRABBABLE", "RECIPIENT"),
        node(6, "apple", "GRABBABLE", "EATABLE"),
        node(7, "bed", "SITTABLE", "LIEABLE", "SURFACES"),
        node(8, "table", "SURFACES"),
        node(9, "shirt", "GRABBABLE", "CLOTHES"),
    ],
    "edges": [
        *(edge(thing, "INSIDE", 1) for thing in (3, 4, 5, 8)),
        *(edge(thing, "INSIDE", 2) for thing in (7, 9)),
        edge(6, "INSIDE", 5),
        edge(6, "INSIDE", 1),
        edge(5, "ON", 8),
        edge(9, "ON", 7),
    ],
}
TAKE_BOWL_TO_BED = ["[WALK] <bowl> (5)", "[GRAB] <bowl> (5)", "[WALK] <bed> (7)"]


def edges_of(graph, *relations):
    return {
        (row["from_id"], row["relation_type"], row["to_id"])
        for row in graph["edges"]
        if row["relation_type"] in relations
    }


def test_a_program_changes_the_graph_and_not_what_was_given():
    before = copy.deepcopy(SCENE)
    done = replay(SCENE, ["Open it", "", "[Walk] <fridge> (4)", "[OPEN] <fridge> (1.4)"])
    assert before == SCENE
    assert (done.executable, done.failed_step, done.reason) == (True, None, None)
    assert next(row for row in done.graph["nodes"] if row["id"] == 4)["states"] == ["OPEN"]
    assert edges_of(done.graph, "CLOSE") == {(3, "CLOSE", 4), (4, "CLOSE", 3)}


def test_a_failed_program_stops_before_the_failing_step():
    done = replay(SCENE, ["[WALK] <fridge> (4)", "[PUTIN] <apple> (6) <fridge> (4)", "[OPEN] <fridge> (4)"])
    assert (done.executable, done.failed_step, done.reason) == (False, 1, "not_holding")
    assert next(row for row in done.graph["nodes"] if row["id"] == 4)["states"] == ["CLOSED"]


@pytest.mark.parametrize(
    ("dialect", "places"),
    [
        ("eai", {(5, "INSIDE", 1), (6, "INSIDE", 1)}),  # the bowl stays behind, the apple fell out
        ("house", {(6, "INSIDE", 5)}),  # the apple is still in the bowl, which is in the hand
    ],
)
def test_what_is_carried(dialect, places):
    done = replay(SCENE, TAKE_BOWL_TO_BED, dialect)
    assert done.executable
    assert {row for row in edges_of(done.graph, "INSIDE") if row[0] in (5, 6)} == places
    assert (3, "HOLDS_RH", 5) in edges_of(done.graph, "HOLDS_RH")


def test_in_a_house_a_carried_bowl_takes_its_contents_along():
    done = replay(SCENE, [*TAKE_BOWL_TO_BED, "[PUTBACK] <bowl> (5) <bed> (7)", "[GRAB] <apple> (6)"], "house")
    assert done.executable
    assert {(5, "ON", 7), (3, "HOLDS_RH", 6)} <= edges_of(done.graph, "ON", "HOLDS_RH")
    assert not [row for row in edges_of(done.graph, "INSIDE") if row[0] in (5, 6)]


@pytest.mark.parametrize(("dialect", "reason"), [("eai", None), ("vh", "crash:TypeError"), ("house", None)])
def test_finding_a_far_thing(dialect, reason):
    assert replay(SCENE, ["[FIND] <bed> (7)"], dialect).reason == reason


@pytest.mark.parametrize(("dialect", "reason"), [("eai", None), ("vh", "not_sitting"), ("house", None)])
def test_standing_up_again(dialect, reason):
    done = replay(SCENE, ["[WALK] <bed> (7)", "[SIT] <bed> (7)", "[STANDUP]"], dialect)
    assert done.reason == reason


def test_who_stands_up_leaves_the_seat_in_a_house():
    program = ["[WALK] <bed> (7)", "[SIT] <bed> (7)", "[STANDUP]"]
    assert (3, "ON", 7) in edges_of(replay(SCENE, program, "eai").graph, "ON")
    left = edges_of(replay(SCENE, program, "house").graph, "ON", "INSIDE")
    assert {row for row in left if row[0] == 3} == {(3, "INSIDE", 2)}


def test_a_thing_cannot_be_put_into_itself_in_a_house():
    program = [*TAKE_BOWL_TO_BED[:2], "[PUTIN] <bowl> (5) <apple> (6)"]
    assert replay(SCENE, program, "house").reason == "inside_itself"


def test_a_circle_of_containers_fails_and_does_not_hang():
    scene = copy.deepcopy(SCENE)
    scene["edges"] = [row for row in scene["edges"] if row["from_id"] not in (5, 6)]
    scene["edges"] += [edge(5, "INSIDE", 6), edge(6, "INSIDE", 5)]
    for dialect in ("eai", "vh", "stored2018"):
        assert replay(scene, ["[WALK] <apple> (6)"], dialect).reason == "no_room"
    with pytest.raises(GraphError, match=r"apple \(6\) is nowhere"):
        replay(scene, ["[WALK] <apple> (6)"], "house")


def test_a_second_character_can_act():
    scene = copy.deepcopy(SCENE)
    scene["nodes"].append(node(20, "character", category="Characters"))
    scene["edges"].append(edge(20, "INSIDE", 2))
    done = replay(scene, ["[WALK] <shirt> (9)", "[GRAB] <shirt> (9)", "[PUTON] <shirt> (9)"], character=1)
    assert (9, "ON", 20) in edges_of(done.graph, "ON")
    with pytest.raises(GraphError, match="no character 2: the scene has 2"):
        replay(scene, [], character=2)


def test_every_reason_of_every_dialect_is_told_in_words():
    named = {check.reason for dialect in DIALECTS.values() for row in dialect.rows for check in row.checks}
    named |= {row.unknown for dialect in DIALECTS.values() for row in dialect.rows}
    named |= {row.choice.otherwise for row in DIALECTS["vh"].rows if row.choice} - {row.name for row in ROWS}
    assert named == set(REASONS)


def test_a_graph_is_written_as_it_was_read():
    graph = SceneGraph.from_dict(SCENE)
    assert SceneGraph.from_dict(graph.to_dict()) == graph
    assert replay(graph.to_dict(), []).graph == graph.to_dict()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda scene: scene.pop("edges"), r"^graph: edges is missing\. Give \"edges\" as a list"),
        (lambda scene: scene["nodes"].append(5), r"^graph: nodes\[9\]: a node is an object, this is int 5"),
        (lambda scene: scene["nodes"].append(node(1, "hall")), r"nodes\[9\]\.id: id 1 is used twice"),
        (lambda scene: scene["nodes"][0].update(id="1"), r"nodes\[0\]\.id: id is '1'"),
        (lambda scene: scene["nodes"][0].update(id=-1), r"nodes\[0\]\.id: id is -1"),
        (lambda scene: scene["nodes"][0].pop("class_name"), r"nodes\[0\]\.class_name: class_name is missing"),
        (lambda scene: scene["nodes"][3].update(states=["OPENED"]), r"no state 'OPENED'.*OPEN"),
        (lambda scene: scene["nodes"][3].update(properties=["CAN_OPN"]), r"no property 'CAN_OPN'.*CAN_OPEN"),
        (lambda scene: scene["nodes"][3].update(states="OPEN"), r"states is no list of strings"),
        (lambda scene: scene["edges"].append(edge(1, "UNDER", 2)), r"edges\[10\]\.relation_type: .*'UNDER'"),
        (lambda scene: scene["edges"].append(edge(1, "ON", 77)), r"edges\[10\]\.to_id: there is no node 77"),
        (
            lambda scene: scene["edges"].append(edge(77, "ON", 1)),
            r"edges\[10\]\.from_id: there is no node 77",
        ),
    ],
)
def test_a_malformed_graph_is_refused(change, message):
    scene = copy.deepcopy(SCENE)
    change(scene)
    with pytest.raises(GraphError, match=message):
        replay(scene, [])


def test_a_graph_must_be_an_object():
    with pytest.raises(GraphError, match="a scene graph is an object, this is list"):
        replay([], [])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[JUMP] <bed> (7)", "line 1: there is no action 'JUMP'"),
        ("[GRABB] <bed> (7)", "Did you mean .*GRAB"),
        ("[] <bed> (7)", "has no \\[ACTION\\]"),
        ("[WALK] <bed>", r"WALK takes 1 object\(s\), this line has 0"),
        ("[PUTIN] <bed> (7)", r"PUTIN takes 2 object\(s\), this line has 1"),
        ("[WALK] <bed> (seven)", r"\(seven\) is no instance"),
    ],
)
def test_a_program_line_that_cannot_be_read_is_refused(line, message):
    with pytest.raises(ProgramError, match=message):
        replay(SCENE, [line])


def test_an_unknown_dialect_is_refused():
    with pytest.raises(UserError, match="no dialect 'eia'.*eai"):
        replay(SCENE, [], "eia")


def test_program_lines():
    (line,) = parse_program(["# a comment", "[putback] <Coffee Pot> (1.12) <table> (8)"])
    assert line == ("PUTBACK", ("coffee_pot", "table"), (12, 8))
    assert parse_program([str(line)]) == [line]


@pytest.fixture
def files(tmp_path):
    (tmp_path / "scene.json").write_text(json.dumps(SCENE))
    (tmp_path / "program.txt").write_text(
        "Eat\n\n[WALK] <apple> (6)\n[GRAB] <apple> (6)\n[SIT] <apple> (6)\n"
    )
    return [str(tmp_path / "scene.json"), str(tmp_path / "program.txt")]


def test_the_command_shows_steps_and_changes(files):
    from worldschool.cli.main import app

    shown = CliRunner().invoke(app, ["replay", *files]).stdout
    assert "[GRAB] <apple> (6)  done" in shown
    assert "FAILED, not_sittable: nobody can sit on it" in shown
    assert "+ character (3) HOLDS_RH apple (6)" in shown
    result = json.loads(CliRunner().invoke(app, ["replay", *files, "--json"]).stdout)
    assert (result["executable"], result["failed_step"], result["reason"]) == (False, 2, "not_sittable")


def test_the_command_refuses_files_that_it_cannot_read(files, tmp_path):
    from worldschool.cli.main import main

    (tmp_path / "empty.txt").write_text("nothing\n")
    for arguments in (["no.json", files[1]], [files[0], str(tmp_path / "empty.txt")], [files[0], "no.txt"]):
        with pytest.raises(SystemExit) as caught:
            main(["replay", *arguments])
        assert caught.value.code == 2
