"""Examples as probes ask them, for tests: what a test does not name is filled in."""

from worldschool.records import Example


def filled(number, task, prompt, answer, options=None, /, **changes):
    """Return an example of a task; `number` is in its id and its episode's, and `changes` are fields of other values."""
    values = {
        "example_id": f"e{number}",
        "task": task,
        "prompt": prompt,
        "completion": f" {answer}\n",
        "answer": answer,
        "split": "heldout",
        "episode_id": f"episode{number}",
        "builder": task,
        "builder_version": 1,
        "seed": 0,
        "options": options,
        "answer_index": options.index(answer) if options and answer in options else None,
    }
    return Example(**{**values, **changes})
