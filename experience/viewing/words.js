// What the page says about episodes, predicates and events.

const MARKS = { reached: "✓", missed: "○", free: "·", error: "✗" };

/** How an episode ended: "reached", "missed", "free" (there was no goal) or "error". */
function outcomeOf(episode) {
  if (episode.error !== null) return "error";
  if (episode.success) return "reached";
  return episode.predicates && !episode.predicates.length ? "free" : "missed";
}

function outcomeWords(episode) {
  const end = episode.terminated ? "" : episode.truncated ? ", out of steps" : ", the agent stopped";
  return { reached: "goal reached", missed: `goal not reached${end}`, free: `no goal${end}`, error: "ended by an error" }[outcomeOf(episode)];
}

const goalWords = (episode) => textOf(episode.goal) || "No goal";

const argumentWords = (name) => (name === null ? "" : name.startsWith("class:") ? `any ${name.slice(6)}` : name);

/** A predicate in words: "apple on table", "lamp is on". */
function predicateWords([name, subject, object]) {
  const one = argumentWords(subject);
  if (name.startsWith("STATE:")) return `${one} is ${name.slice(6).replaceAll("_", " ")}`;
  const verb = { ON: "on", INSIDE: "in", HOLDS: "holds", AT: "at" }[name] ?? name;
  return `${one} ${verb} ${argumentWords(object)}`;
}

/** One event: its own world's words, else what its fields say. */
function eventWords([actor, verb, object, source, target, , succeeded, , words]) {
  if (words !== null) return textOf(words);
  const parts = [textOf(actor), textOf(verb).replaceAll("_", " "), textOf(object)];
  if (source !== null) parts.push("from", textOf(source));
  if (target !== null) parts.push("to", textOf(target));
  return parts.filter((part) => part !== null).join(" ") + (succeeded ? "." : ": failed.");
}

const observationAt = (episode, moment) => episode.observations[moment].map(textOf).join("\n");

/** The character that an action names ("Mary: grab apple"); undefined if it names none. */
const namedBy = (episode, [action]) => episode.people.find((person) => textOf(action).startsWith(`${textOf(person)}:`));

/** Whose action a step is: the one it names, and where actions name nobody always the first character. */
function actorOf(episode, step) {
  episode.named ??= episode.steps.some((one) => namedBy(episode, one) !== undefined);
  return (episode.named ? namedBy(episode, step) : episode.people[0]) ?? null;
}

/** An action without the name of who does it, where that is said beside it. */
function deedOf(action, actor) {
  const text = textOf(action);
  const name = actor === null ? "" : `${textOf(actor)}:`;
  return name && text.startsWith(name) ? text.slice(name.length).trim() : text;
}

/** A spot of a character's colour; without colours (print, colour blindness) its letter tells it. */
function spotOf(episode, person) {
  const place = episode.people.indexOf(person);
  const letter = person === null ? "" : [...textOf(person)][0] ?? "";
  return make("span", { class: `spot who${place < 0 ? "" : place % 6}`, "aria-hidden": "true" }, letter);
}

/** Whether the action of a step could not be done. */
const failed = (episode, step) =>
  episode.refusals[step] !== undefined || (episode.steps[step][3].length > 0 && !episode.steps[step][3][0][6]);
