"""Configuration: YAML, overrides, and errors that name the file, the field and the mend."""

from typing import Literal

import pytest
from pydantic import Field, model_validator

from worldschool.config import Config, build_config, load_config
from worldschool.errors import ConfigError


class Part(Config):
    """A nested part."""

    width: int = Field(default=1, ge=1)
    """A number."""
    colour: Literal["red", "blue"] = "red"
    """A choice."""


class Whole(Config):
    """A configuration."""

    episodes: int
    """Required."""
    name: str = "x"
    """A text."""
    part: Part = Part()
    """Nested."""
    parts: tuple[Part, ...] = ()
    """Several."""
    maybe: Part | None = None
    """Optional."""
    by_name: dict[str, Part] = Field(default_factory=dict)
    """By name."""


@pytest.fixture
def write(tmp_path):
    def write_file(text):
        (tmp_path / "run.yaml").write_text(text)
        return tmp_path / "run.yaml"

    return write_file


def test_a_file_with_overrides(write):
    path = write("episodes: 3\npart: {width: 2}\n")
    found = load_config(
        Whole,
        path,
        ["episodes=5", "part.colour=blue", "maybe.width=7", "by_name.a.width=4", "parts=[{width: 9}]"],
    )
    assert found == Whole(
        episodes=5,
        part=Part(width=2, colour="blue"),
        maybe=Part(width=7),
        by_name={"a": Part(width=4)},
        parts=(Part(width=9),),
    )
    assert build_config(Whole, found.to_json(), "again") == found
    assert load_config(Whole, None, ["episodes=1"]) == Whole(episodes=1)
    assert load_config(Whole, write(""), ["episodes=1", "name=a=b"]).name == "a=b"


class Held(Config):
    """What is held, and how firmly, which means another thing for each."""

    what: Literal["cup", "door"] = "cup"
    """A choice."""
    force: float = 1.0
    """Of this choice."""

    @classmethod
    def before_override(cls, values, key, value):
        """Another choice makes the force void."""
        if key == "what" and value != values.get("what", "cup"):
            values.pop("force", None)


class Hand(Config):
    """Holds."""

    held: Held = Held()
    """Nested."""


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], Held(force=5)),
        (["held.what=cup"], Held(force=5)),
        (["held.what=door"], Held(what="door")),
        (["held.what=door", "held.force=7"], Held(what="door", force=7)),
        (["held.force=7", "held.what=door"], Held(what="door", force=7)),
        (["held={what: door, force: 2}"], Held(what="door", force=2)),
    ],
)
def test_what_an_override_makes_void_is_a_file_s_and_never_another_override_s(write, overrides, expected):
    assert load_config(Hand, write("held: {force: 5}"), overrides).held == expected


def test_an_override_changes_one_place_of_an_alias(write):
    path = write("episodes: 1\nby_name: {a: &one {width: 2, colour: blue}, b: *one}\n")
    found = load_config(Whole, path, ["by_name.a.width=5"]).by_name
    assert found == {"a": Part(width=5, colour="blue"), "b": Part(width=2, colour="blue")}
    given = ["by_name={a: &one {width: 3}, b: *one}", "by_name.b.width=4"]
    assert load_config(Whole, path, given).by_name == {"a": Part(width=3), "b": Part(width=4)}


def test_what_an_override_makes_void_is_void_in_one_place_of_an_alias(write):
    class Hands(Config):
        left: Held
        right: Held

    found = load_config(Hands, write("left: &one {force: 5}\nright: *one\n"), ["left.what=door"])
    assert (found.left, found.right) == (Held(what="door"), Held(force=5))


def test_a_key_that_is_there_twice_is_refused(write):
    path = write("episodes: 1\npart:\n  width: 2\n  colour: red\n  width: 3\n")
    with pytest.raises(
        ConfigError, match=rf"^{path}, line 5: this is not valid YAML: the key 'width' is there twice"
    ):
        load_config(Whole, path)
    with pytest.raises(ConfigError, match=r"--set: the value of part is not valid YAML"):
        load_config(Whole, write("episodes: 1\n"), ["part={width: 2, width: 3}"])


def test_merged_keys_can_be_given_again(write):
    path = write(
        "episodes: 1\n"
        "by_name:\n"
        "  a: &one {width: 2, colour: blue}\n"
        "  b: &two {<<: *one, width: 3}\n"
        "  c: {<<: [*two, *one], colour: red}\n"
        "part: {<<: *two}\n"
    )
    found = load_config(Whole, path)
    assert found.by_name["b"] == found.part == Part(width=3, colour="blue")
    assert found.by_name["c"] == Part(width=3, colour="red")


@pytest.mark.parametrize("number", [".inf", "-.inf", ".nan", "1e999"])
def test_numbers_that_are_not_finite_are_refused(write, number):
    with pytest.raises(ConfigError, match=r"held\.force: input should be a (finite|valid) number"):
        load_config(Hand, write(f"held: {{force: {number}}}"))


def test_a_configuration_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        Whole(episodes=1).episodes = 2


@pytest.mark.parametrize(
    "text, where, problem",
    [
        ("episods: 3\nepisodes: 1", "episods", "unknown key. Accepted here: .*Did you mean 'episodes'?"),
        (
            "episodes: 1\npart: {widht: 2}",
            "part.widht",
            "Accepted here: colour, width. Did you mean 'width'?",
        ),
        ("episodes: 1\nparts: [{}, {color: red}]", "parts.1.color", "Did you mean 'colour'?"),
        ("episodes: 1\nmaybe: {widht: 2}", "maybe.widht", "Did you mean 'width'?"),
        ("episodes: 1\nby_name: {a: {widht: 2}}", "by_name.a.widht", "Did you mean 'width'?"),
        ("episodes: many", "episodes", "found 'many'"),
        ("episodes: 1.5", "episodes", "found 1.5"),
        ("episodes: 1\npart: {width: 0}", "part.width", "greater than or equal to 1; found 0"),
        ("episodes: 1\npart: {colour: green}", "part.colour", "'red' or 'blue'; found 'green'"),
        ("episodes: 1\npart: 3", "part", "found 3"),
        ("name: y", "episodes", "this key is required but missing"),
        ("{}", "episodes", "this key is required but missing"),
    ],
)
def test_errors_name_file_field_and_mend(write, text, where, problem):
    path = write(text)
    with pytest.raises(ConfigError) as caught:
        load_config(Whole, path)
    assert caught.value.where == f"{path}: {where}"
    message = str(caught.value)
    for part in problem.split(".*"):
        assert part in message, message


@pytest.mark.parametrize(
    "text, told",
    [
        ("episodes: x\nname: 3\nother: 1", "found 'x'. Wrong, too: name, other."),
        ("name: y\npart: {widht: 1, width: 0}", "missing. Wrong, too: part.width, part.widht."),
        (
            "episods: 3\nother: 1\nepisodes: 1",
            "Did you mean 'episodes'? Wrong, too: other.",
        ),
        ("episodes: x\nparts: [{a: 1, b: 2, c: 3}, {d: 4, e: 5, f: 6, g: 7}]", "parts.1.e and 2 more."),
    ],
)
def test_further_mistakes_are_named(write, text, told):
    with pytest.raises(ConfigError) as caught:
        load_config(Whole, write(text))
    assert str(caught.value).endswith(told)


class Either(Config):
    number: int | float | None = None
    parts: tuple[Part | Hand, ...] = ()


@pytest.mark.parametrize(
    "text, where, told",
    [
        ("number: many", "number", "found 'many'."),
        ("parts: [{width: x}, {colour: 3}]", "parts.0.width", "found 'x'. Wrong, too: parts.1.colour."),
    ],
)
def test_members_of_a_union_are_not_told_as_keys(write, text, where, told):
    path = write(text)
    with pytest.raises(ConfigError) as caught:
        load_config(Either, path)
    assert caught.value.where == f"{path}: {where}"
    assert str(caught.value).endswith(told)


@pytest.mark.parametrize(
    "override, problem",
    [
        ("episodes", r"--set: 'episodes' is not key=value\. Write it like --set episodes=100"),
        ("=3", "is not key=value"),
        ("episodes=[1", r"--set: the value of episodes is not valid YAML: '\[1'"),
        ("name=2024-13-45", r"--set: the value of name is not valid YAML"),
        ("episodes.x=3", r"--set: episodes\.x: 'episodes' is not a mapping"),
        ("part.widht=3", r"the configuration: part\.widht: unknown key.*Did you mean 'width'"),
        ("part.width=wide", r"the configuration: part\.width: .*found 'wide'"),
    ],
)
def test_overrides_that_cannot_be_used(override, problem):
    with pytest.raises(ConfigError, match=problem):
        load_config(Whole, None, ["episodes=1", override])


def test_yaml_errors_name_the_line(write):
    path = write("episodes: 1\npart:\n  width: [1\nname: y\n")
    with pytest.raises(ConfigError, match=rf"^{path}, line 4: this is not valid YAML: "):
        load_config(Whole, path)
    path = write("episodes: 1\nname: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(ConfigError, match=rf"^{path}, line 2: this is not valid YAML: could not determine"):
        load_config(Whole, path)
    path = write("episodes: 1\nname: 2024-13-45\n")
    with pytest.raises(ConfigError, match=r"this is not valid YAML: month must be in 1\.\.12"):
        load_config(Whole, path)


def test_files_that_are_no_mapping(write, tmp_path):
    with pytest.raises(ConfigError, match="a mapping of keys to values is expected, found list"):
        load_config(Whole, write("- 1\n"))
    with pytest.raises(ConfigError, match=r"none.yaml: there is no such file"):
        load_config(Whole, tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="the file cannot be read"):
        load_config(Whole, tmp_path)
    (tmp_path / "run.yaml").write_bytes(b"name: \xff\n")
    with pytest.raises(ConfigError, match="the file cannot be read"):
        load_config(Whole, tmp_path / "run.yaml")
    with pytest.raises(ConfigError, match=r"1: "):
        load_config(Whole, write("1: 2\nepisodes: 3"))


class Bounds(Config):
    low: int = 0
    high: int = 9

    @model_validator(mode="after")
    def _in_order(self) -> "Bounds":
        if self.low > self.high:
            raise ValueError(f"low ({self.low}) is greater than high ({self.high})")
        return self


def test_what_a_check_of_several_fields_says_is_told_as_it_is(write):
    path = write("low: 3\nhigh: 2")
    with pytest.raises(ConfigError) as caught:
        load_config(Bounds, path)
    assert str(caught.value) == f"{path}: low (3) is greater than high (2)."
