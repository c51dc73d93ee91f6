// The data, and making elements. Text only ever enters the page as text nodes: nothing here reads markup.

// Characters that show nothing but turn or break what stands around them; they are shown by their codes.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;
const code = (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
const visible = (text) => text.replace(UNSEEN, code);

const data = JSON.parse(byId("data").textContent, (name, value) => (typeof value === "string" ? visible(value) : value));
const episodes = data.episodes;

/** The element with this id. */
function byId(id) {
  return document.getElementById(id);
}

/** The text with this number; null for none. */
const textOf = (number) => (number === null ? null : data.texts[number]);

/** An element with attributes and children; strings become text. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** An SVG element with attributes. */
function draw(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** Text from a world: its direction is its own and does not turn its surroundings. */
const said = (text) => make("bdi", {}, text);

/** Put children into an element in place of what it had. */
const fill = (element, ...children) => element.replaceChildren(...children.filter((child) => child !== null));

/** A term and its description, for a `dl`. */
const term = (name, ...description) => [make("dt", {}, name), make("dd", {}, ...description)];

const plural = (count, one) => `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;
