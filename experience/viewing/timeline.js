// Strips over the steps: who acted, and which predicates of the goal held. What they show is also said in words.

/** Runs of equal marks: [first, length, mark]. */
function runsOf(marks) {
  const runs = [];
  marks.forEach((mark, place) => {
    const last = runs.at(-1);
    if (last && last[2] === mark) last[1]++;
    else runs.push([place, 1, mark]);
  });
  return runs;
}

/** One strip: a rectangle for each run, and a line at the moment shown. */
function strip(marks, classOf) {
  const element = draw("svg", { viewBox: `0 0 ${marks.length} 10`, preserveAspectRatio: "none", class: "strip", "aria-hidden": "true" });
  for (const [first, length, mark] of runsOf(marks)) {
    element.append(draw("rect", { x: first, y: 0, width: length, height: 10, class: classOf(mark) }));
  }
  element.append(draw("rect", { x: 0, y: 0, width: 1, height: 10, class: "cursor" }));
  element.addEventListener("click", (event) => {
    const box = element.getBoundingClientRect();
    go(Math.floor(((event.clientX - box.left) / box.width) * marks.length));
  });
  return element;
}

/** When a mark stands, in words: "from step 3 to step 9, after step 12"; empty if it never does. */
function spansOf(marks, wanted) {
  const runs = runsOf([...marks]).filter(([, , mark]) => mark === wanted);
  const spans = runs.slice(0, 4).map(([first, length]) => {
    const start = first ? `step ${first}` : "the start";
    const end = first + length - 1;
    if (end === marks.length - 1) return `from ${start} on`;
    if (end === first) return first ? `after ${start}` : "at the start";
    return `from ${start} to step ${end}`;
  });
  return spans.join(", ") + (runs.length > 4 ? ", and later again" : "");
}

/** When a predicate held, in words. */
function heldWords(marks) {
  const held = spansOf(marks, "1");
  const open = spansOf(marks, "?");
  const known = held ? `held ${held}` : marks.includes("0") && !open ? "never held" : "";
  return [known, open && `not known ${open}`].filter(Boolean).join("; ");
}

function buildStrips(episode) {
  const rows = [];
  const actors = ["", ...episode.steps.map((step) => actorOf(episode, step))];
  if (new Set(actors).size > 2) {
    const classOf = (actor) => (actor === "" || actor === null ? "nobody" : `who${episode.people.indexOf(actor) % 6}`);
    rows.push(stripRow("Who acted", null, strip(actors, classOf)));
  }
  const troubles = ["", ...episode.steps.map((_, step) => (failed(episode, step) ? "failed" : ""))];
  if (troubles.includes("failed")) {
    const count = troubles.filter(Boolean).length;
    rows.push(stripRow("Actions that failed", `${count} of ${episode.steps.length}`, strip(troubles, (mark) => mark || "nobody")));
  }
  episode.held.forEach((marks, place) => {
    const classOf = (mark) => ({ 1: "holds", 0: "lacks", "?": "unknown" })[mark];
    rows.push(stripRow(predicateWords(episode.predicates[place]), heldWords(marks), strip([...marks], classOf), place));
  });
  fill(byId("strips"), ...rows);
}

function stripRow(name, words, element, place = null) {
  const state = make("span", { class: "state" });
  if (place !== null) state.dataset.place = place;
  return make("div", { class: "striprow" }, make("p", {}, state, said(name), words === null ? null : make("small", {}, words)), element);
}

function moveStrips(episode, moment) {
  for (const cursor of byId("strips").querySelectorAll(".cursor")) cursor.setAttribute("x", moment);
  for (const state of byId("strips").querySelectorAll("[data-place]")) {
    const mark = episode.held[state.dataset.place][moment];
    state.className = `state ${{ 1: "yes", 0: "no", "?": "open" }[mark]}`;
    state.textContent = { 1: "✓ holds: ", 0: "○ not now: ", "?": "? not known: " }[mark];
  }
}

/** "1 of 2 conditions hold", or an empty text where there is no goal. */
function progressWords(episode, moment) {
  if (!episode.held.length) return "";
  const holding = episode.held.filter((marks) => marks[moment] === "1").length;
  return `${holding} of ${episode.held.length} conditions hold`;
}
