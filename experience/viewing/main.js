// Playing, keys, addresses, colours; and the beginning of it all.

function play() {
  if (playing) return stop();
  if (now >= episodes[current].steps.length) go(0, { quiet: true });
  const tick = () => {
    go(now + 1);
    if (now >= episodes[current].steps.length) stop();
    else playing = setTimeout(tick, Number(byId("pace").value));
  };
  playing = setTimeout(tick, Math.min(500, Number(byId("pace").value)));
  sayWhetherPlaying();
}

function stop() {
  clearTimeout(playing);
  playing = null;
  sayWhetherPlaying();
}

function sayWhetherPlaying() {
  byId("play").setAttribute("aria-label", playing ? "Pause" : "Play");
  byId("play-shape").setAttribute("d", playing ? "M4 2h3v12H4zM9 2h3v12H9z" : "M4 2v12l9-6z");
}

/** Step by hand: playing stops. */
function step(by) {
  stop();
  go(now + by);
}

/** Place of the episode before or after this one among those that the filters leave; undefined at the ends. */
function neighbour(by) {
  const later = shown.filter((place) => (by > 0 ? place > current : place < current));
  return by > 0 ? later[0] : later.at(-1);
}

function tellNeighbours() {
  for (const [id, by] of [["before", -1], ["after", 1]]) byId(id).setAttribute("aria-disabled", neighbour(by) === undefined);
}

function turn(by) {
  const place = neighbour(by);
  if (place !== undefined) location.hash = linkTo(place, 0);
}

const KEYS = {
  ArrowRight: () => step(1), ArrowLeft: () => step(-1), Home: () => step(-Infinity), End: () => step(Infinity),
  j: () => step(1), k: () => step(-1), p: play, n: () => turn(1), b: () => turn(-1), "/": seek,
};

function seek() {
  document.body.dataset.view = "list";
  byId("search").focus();
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  const field = event.target.closest("input, select, textarea");
  if (field && (field.type !== "range" || event.key.length > 1)) return; // typing, or the slider's own keys
  if (event.key.length === 1 && !byId("letters").checked) return;
  if (event.target.closest(".scroll") && event.key.startsWith("Arrow")) return; // a table or picture is scrolled
  event.preventDefault();
  KEYS[event.key]();
}

/** Keep the address in step, so that it can be sent to somebody. */
function remember() {
  try {
    history.replaceState(null, "", linkTo(current, now));
  } catch {
    // some browsers allow only so many in a while
  }
}

/** Show what the address names. */
function arrive(first) {
  const named = new URLSearchParams(location.hash.slice(1));
  const place = episodes.findIndex((_, one) => nameOf(one) === named.get("episode"));
  if (place < 0 && !first) {
    document.body.dataset.view = "list";
    return;
  }
  document.body.dataset.view = place < 0 ? "list" : "episode";
  if (!first) window.scrollTo(0, 0);
  show(Math.max(place, 0), Number(named.get("step")) || 0, { focus: !first });
}

function colours() {
  const kept = { get: () => localStorage.getItem("worldschool-theme"), set: (value) => localStorage.setItem("worldschool-theme", value) };
  const use = (theme) => {
    document.documentElement.dataset.theme = theme;
  };
  byId("theme").addEventListener("change", () => {
    use(byId("theme").value);
    try {
      kept.set(byId("theme").value);
    } catch {
      // not kept, then
    }
  });
  try {
    byId("theme").value = kept.get() ?? "";
    use(byId("theme").value);
  } catch {
    // as the system
  }
}

function begin() {
  colours();
  buildBrowser();
  const buttons = { first: () => step(-Infinity), previous: () => step(-1), next: () => step(1), last: () => step(Infinity), play, before: () => turn(-1), after: () => turn(1) };
  for (const [id, action] of Object.entries(buttons)) byId(id).addEventListener("click", action);
  byId("slider").addEventListener("input", () => step(Number(byId("slider").value) - now));
  byId("actual").addEventListener("click", () => {
    const large = byId("figure").classList.toggle("large");
    byId("actual").setAttribute("aria-pressed", large);
    const box = byId("picture-scroll"); // can be scrolled, so it can be reached by keyboard
    if (large) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  });
  byId("list").addEventListener("click", (event) => {
    if (event.target.closest("a")?.hash === location.hash) arrive(false); // the address will not change
  });
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.body.dataset.view = "episode";
    byId("goal").focus();
  });
  document.addEventListener("keydown", pressed);
  addEventListener("hashchange", () => arrive(false));
  byId("app").hidden = false;
  arrive(true);
}

try {
  begin();
} catch (error) {
  document.documentElement.classList.remove("js"); // the plain list is better than nothing
  byId("app").hidden = true;
  byId("plain-why").textContent = `The page's script failed (${error.message}), so this is a plain list.`;
  throw error;
}
