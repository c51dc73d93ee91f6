// One episode and its steps. Moment 0 is the start; moment k is what is the case after step k.

let current = -1; // place of the episode shown
let now = 0; // its moment
let playing = null; // the timer, while it plays

function show(place, moment, { focus = false } = {}) {
  stop();
  current = place;
  const episode = episodes[place];
  byId("kicker").textContent = `Episode ${episode.index}`;
  fill(byId("goal"), goalWords(episode));
  document.title = `${goalWords(episode)} · ${document.querySelector("h1").textContent}`;
  fill(byId("tags"), ...tags(episode));
  tell("error", episode.error);
  tell("differs", episode.differs);
  buildStrips(episode);
  fill(byId("progress-note"), progressNote(episode));
  fill(byId("people"), ...(episode.people.length > 1 ? episode.people.map((one) => make("li", {}, spotOf(episode, one), said(textOf(one)))) : []));
  fill(byId("steps"), ...episode.steps.map((step, number) => stepButton(episode, step, number)));
  fill(byId("about"), ...about(episode));
  byId("slider").max = episode.steps.length;
  markListed(place);
  tellNeighbours();
  now = Math.min(Math.max(moment, 0), episode.steps.length);
  const prepared = preparePictures(episode);
  go(now, { quiet: true });
  prepared.then(() => current === place && showPicture(now, whereWords(episode, now)));
  if (focus) byId("goal").focus({ preventScroll: true });
}

function tell(id, text) {
  byId(id).hidden = text === null;
  byId(`${id}-text`).textContent = text ?? "";
}

function tags(episode) {
  const kind = outcomeOf(episode);
  const facts = [plural(episode.length, "step"), `return ${episode.return}`, textOf(episode.agent), textOf(episode.split), textOf(episode.activity), textOf(episode.world).replace(/^worldschool\//, "")];
  return [
    make("li", { class: kind }, make("span", { "aria-hidden": "true" }, `${MARKS[kind]} `), outcomeWords(episode)),
    ...facts.filter(Boolean).map((fact) => make("li", {}, said(fact))),
  ];
}

function progressNote(episode) {
  if (episode.predicates === null) return `The goal's predicates cannot be read: ${episode.unread_predicates}`;
  if (!episode.predicates.length) return "This episode had no goal to reach.";
  if (!episode.relived) return "Followed through the recorded events; the episode was not executed again.";
  if (episode.differs !== null) return "Followed through the recorded events, as executing the episode again gave something else.";
  return "As the world told it when the episode was executed again; every state was the recorded one.";
}

function stepButton(episode, step, number) {
  const actor = actorOf(episode, step);
  const several = episode.people.length > 1;
  const words = step[3].map(eventWords).join(" ");
  const button = make(
    "button",
    { type: "button", tabindex: "-1" },
    make("span", { class: "number" }, String(number + 1)),
    several ? spotOf(episode, actor) : null,
    make("span", { class: "deed" }, several && actor !== null ? said(`${textOf(actor)}: `) : null, said(deedOf(step[0], actor)), make("small", {}, said(words))),
    failed(episode, number) ? make("span", { class: "flag" }, "✗ failed") : null,
    step[1] !== 0 ? make("span", { class: "flag gain" }, `reward ${step[1]}`) : null,
  );
  button.addEventListener("click", () => go(number + 1));
  return make("li", {}, button);
}

function about(episode) {
  const settings = (text) => make("code", { dir: "auto" }, readable(text));
  return [
    ...term("Id", make("code", {}, episode.id)),
    ...term("Seed", make("code", {}, episode.seed), ` (run seed ${episode.run_seed}, index ${episode.index})`),
    ...term("World", said(`${textOf(episode.world)}, dynamics version ${textOf(episode.world_version)}`)),
    ...term("Its settings", settings(textOf(episode.world_config))),
    ...term("Agent", said(textOf(episode.agent))),
    ...term("Its settings", settings(textOf(episode.agent_config))),
    ...term("Split", said(textOf(episode.split))),
    ...term("Written by", said(`worldschool ${textOf(episode.package_version)}`)),
  ];
}

/** A JSON object on one line as "name: value" pairs; anything else as it is. */
function readable(text) {
  try {
    const value = JSON.parse(text);
    if (value && typeof value === "object" && !Array.isArray(value)) {
      return visible(Object.entries(value).map(([name, one]) => `${name}: ${JSON.stringify(one)}`).join(", ")) || "none";
    }
  } catch {
    // shown as it is
  }
  return text;
}

const whereWords = (episode, moment) => (moment ? `after step ${moment} of ${episode.steps.length}` : "at the start");

/** Show a moment of the current episode. */
function go(moment, { quiet = false } = {}) {
  const episode = episodes[current];
  const last = episode.steps.length;
  now = Math.min(Math.max(moment, 0), last);
  byId("slider").value = now;
  const step = now ? episode.steps[now - 1] : null;
  const actor = step && actorOf(episode, step);
  const deed = step ? `${actor !== null && episode.people.length > 1 ? `${textOf(actor)}: ` : ""}${deedOf(step[0], actor)}` : "the start";
  byId("slider").setAttribute("aria-valuetext", `Step ${now} of ${last}: ${deed}`);
  byId("where").textContent = `${now} / ${last}`;
  byId("now-title").textContent = now ? `Step ${now}` : "The start";
  fill(byId("action"), ...(step ? [episode.people.length > 1 ? spotOf(episode, actor) : null, said(deed)].filter(Boolean) : ["Before the first action."]));
  const refusal = now ? episode.refusals[now - 1] : undefined;
  byId("refused").hidden = refusal === undefined;
  byId("refused").textContent = refusal === undefined ? "" : textOf(refusal);
  const happened = step ? step[3].map((event) => make("li", { class: event[6] ? "" : "failed" }, episode.people.length > 1 ? spotOf(episode, event[0]) : null, said(eventWords(event)))) : [];
  fill(byId("happened"), ...(happened.length || !step ? happened : [make("li", { class: "quiet" }, "Nothing happened.")]));
  byId("seen-title").textContent = now ? "Observation after it" : "Observation";
  byId("observation").textContent = observationAt(episode, now);
  fill(byId("numbers"), ...numbers(episode, step));
  showRows(step);
  moveStrips(episode, now);
  moveSteps();
  showPicture(now, whereWords(episode, now));
  for (const [id, off] of [["first", now === 0], ["previous", now === 0], ["next", now === last], ["last", now === last]]) byId(id).setAttribute("aria-disabled", off);
  if (!quiet) remember();
  if (!quiet && !playing) announce(episode, deed, step);
}

function numbers(episode, step) {
  return [
    ...(step ? term("Reward", String(step[1])) : []),
    ...(step ? term("Legal actions before it", String(step[2])) : []),
    ...(episode.held.length ? term("Goal", progressWords(episode, now)) : []),
    ...term("State hash", make("code", {}, episode.hashes[now])),
  ];
}

const EVENT_FIELDS = ["actor", "verb", "object", "source", "target", "relation", "succeeded", "seen by"];

function showRows(step) {
  const events = step ? step[3] : [];
  byId("rows").hidden = !step;
  const cell = (value, place) => {
    if (place === 6) return value ? "yes" : "no";
    if (place === 7) return value.map(textOf).join(", ") || "–";
    return textOf(value) ?? "–";
  };
  const table = byId("rows").querySelector("table");
  fill(table.tHead.rows[0], ...["t", ...EVENT_FIELDS].map((name) => make("th", { scope: "col" }, name)));
  fill(table.tBodies[0], ...events.map((event) => make("tr", {}, make("td", {}, String(event[9])), ...EVENT_FIELDS.map((_, place) => make("td", {}, said(cell(event[place], place)))))));
}

function moveSteps() {
  const list = byId("steps");
  for (const button of list.querySelectorAll("[aria-current]")) {
    button.removeAttribute("aria-current");
    button.tabIndex = -1;
  }
  const button = list.children[Math.max(now - 1, 0)]?.firstChild;
  if (!button) return;
  button.tabIndex = 0; // one stop for the tab key; the arrows do the rest
  if (now) {
    button.setAttribute("aria-current", "step");
    keepInSight(list, button.parentElement);
  } else list.scrollTop = 0;
}

let speaking = 0;

/** Tell a screen reader what the step was, once the reader's fingers rest. */
function announce(episode, deed, step) {
  clearTimeout(speaking);
  if (document.activeElement === byId("slider")) return; // its value is read already
  const happened = step ? step[3].map(eventWords).join(" ") : "";
  speaking = setTimeout(() => {
    byId("live").textContent = [`Step ${now} of ${episode.steps.length}: ${deed}.`, happened, progressWords(episode, now) && `Goal: ${progressWords(episode, now)}.`].filter(Boolean).join(" ");
  }, 250);
}
