// The list of episodes, its filters and its search.

const FIELDS = ["split", "agent", "world", "activity"];
const OUTCOMES = { reached: "goal reached", missed: "goal not reached", free: "no goal", error: "ended by an error", differs: "not the same again" };
let shown = [];
const sought = []; // what is searched of each episode, made when it is first needed

function buildBrowser() {
  const kinds = new Set(episodes.map(outcomeOf));
  if (episodes.some((episode) => episode.differs !== null)) kinds.add("differs");
  offer("outcome", Object.entries(OUTCOMES).filter(([kind]) => kinds.has(kind)));
  for (const field of FIELDS) {
    const values = [...new Set(episodes.map((episode) => textOf(episode[field])))].filter((value) => value !== null);
    const none = episodes.some((episode) => episode[field] === null);
    offer(field, [...values.sort().map((value) => [`=${value}`, value]), ...(none && values.length ? [["none", "none"]] : [])]);
  }
  const lengths = episodes.map((episode) => episode.length);
  byId("least").placeholder = Math.min(...lengths);
  byId("most").placeholder = Math.max(...lengths);
  byId("least").closest("p").hidden = Math.min(...lengths) === Math.max(...lengths);
  fill(byId("list"), ...episodes.map(listed));
  byId("filters").addEventListener("input", filter);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  filter();
}

/** Fill a choice; one without alternatives is not shown. */
function offer(id, options) {
  const select = byId(id);
  fill(select, make("option", { value: "" }, "all"), ...options.map(([value, words]) => make("option", { value }, words)));
  select.closest("p").hidden = options.length < 2;
}

function listed(episode, place) {
  const kind = outcomeOf(episode);
  const facts = [`episode ${episode.index}`, plural(episode.length, "step"), textOf(episode.activity)];
  return make(
    "li",
    {},
    make(
      "a",
      { href: linkTo(place, 0) },
      make("span", { class: `mark ${kind}`, "aria-hidden": "true" }, MARKS[kind]),
      make("span", { class: "name" }, said(goalWords(episode))),
      make("small", {}, make("span", { class: "hidden" }, `${OUTCOMES[kind]}, `), said(facts.filter(Boolean).join(" · "))),
    ),
  );
}

/** What an address calls an episode: its id, or its place where two have one id. */
const nameOf = (place) => (unique ? episodes[place].id : String(place));
const unique = new Set(episodes.map((episode) => episode.id)).size === episodes.length;

const linkTo = (place, moment) => `#episode=${encodeURIComponent(nameOf(place))}${moment ? `&step=${moment}` : ""}`;

function soughtOf(place) {
  if (sought[place] === undefined) {
    const episode = episodes[place];
    const texts = [episode.goal, episode.activity, episode.agent, ...episode.people, ...episode.steps.map(([action]) => action)];
    sought[place] = [...new Set(texts)].map((number) => textOf(number) ?? "").concat(episode.id, episode.error ?? "").join("\n").toLowerCase();
  }
  return sought[place];
}

function filter() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const outcome = byId("outcome").value;
  const wanted = FIELDS.map((field) => [field, byId(field).value]).filter(([, value]) => value);
  const least = Number(byId("least").value || 0);
  const most = byId("most").value === "" ? Infinity : Number(byId("most").value);
  shown = [];
  episodes.forEach((episode, place) => {
    const fits =
      episode.length >= least &&
      episode.length <= most &&
      (!outcome || (outcome === "differs" ? episode.differs !== null : outcomeOf(episode) === outcome)) &&
      wanted.every(([field, value]) => (value === "none" ? episode[field] === null : `=${textOf(episode[field])}` === value)) &&
      words.every((word) => soughtOf(place).includes(word));
    if (fits) shown.push(place);
    byId("list").children[place].hidden = !fits;
  });
  byId("count").textContent = shown.length === episodes.length ? plural(shown.length, "episode") : `${shown.length} of ${plural(episodes.length, "episode")}`;
  tellNeighbours();
}

function markListed(place) {
  for (const link of byId("list").querySelectorAll("[aria-current]")) link.removeAttribute("aria-current");
  const item = byId("list").children[place];
  item.firstChild.setAttribute("aria-current", "true");
  keepInSight(byId("list"), item);
}

/** Scroll a box (with a position of its own), and only the box, so that an element in it is seen with others around. */
function keepInSight(box, element) {
  const top = element.offsetTop;
  if (top < box.scrollTop || top + element.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = top - box.clientHeight / 3;
}
