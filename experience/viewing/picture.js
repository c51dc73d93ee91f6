// Pictures: frames are numbers of blocks, and the blocks stand in sheets (see frames.py).

const { block, columns, a_sheet: aSheet, sheets } = data.pictures;
const loaded = new Map(); // sheet number to a promise of its image
let frames = null; // of the episode shown: { width, height, count, numbers }

const bytesOf = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

function sheet(number) {
  if (!loaded.has(number)) {
    const image = new Image();
    loaded.set(number, new Promise((done) => image.addEventListener("load", () => done(image))));
    image.src = `data:image/png;base64,${sheets[number]}`;
  }
  return loaded.get(number);
}

/** Unpack the frames of an episode: the differences are added up again. */
async function unpack({ width, height, count, data: packed }) {
  const stream = new Blob([bytesOf(packed)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new DataView(await new Response(stream).arrayBuffer());
  const cells = width * height;
  const numbers = new Uint16Array(count * cells);
  for (let at = 0; at < numbers.length; at++) {
    numbers[at] = bytes.getUint16(2 * at, true) + (at < cells ? 0 : numbers[at - cells]);
  }
  return { width, height, count, numbers };
}

/** Get ready to show an episode's pictures; hides their place if there are none. */
async function preparePictures(episode) {
  frames = null;
  const figure = byId("figure");
  figure.hidden = episode.frames === null;
  if (episode.frames === null) return;
  const { width, height } = episode.frames;
  const canvas = byId("picture");
  canvas.width = width * block;
  canvas.height = height * block;
  try {
    frames = await unpack(episode.frames);
  } catch (error) {
    figure.hidden = true; // a browser that cannot unpack shows the text alone
    console.warn(error);
  }
}

/** Draw the picture of a moment; the one before stays where there is none. */
async function showPicture(moment, words) {
  if (frames === null) return;
  const mine = frames;
  const canvas = byId("picture");
  const has = moment < mine.count;
  canvas.classList.toggle("stale", !has);
  canvas.setAttribute("aria-label", has ? `Picture of the world, ${words}` : "There is no picture of this step");
  if (!has) return;
  const cells = mine.numbers.subarray(moment * mine.width * mine.height, (moment + 1) * mine.width * mine.height);
  const needed = [...new Set(Array.from(cells, (number) => Math.floor(number / aSheet)))];
  const images = new Map(await Promise.all(needed.map(async (number) => [number, await sheet(number)])));
  if (frames !== mine || now !== moment) return; // something else is shown by now
  const context = canvas.getContext("2d");
  cells.forEach((number, cell) => {
    const within = number % aSheet;
    const from = [(within % columns) * block, Math.floor(within / columns) * block];
    const to = [(cell % mine.width) * block, Math.floor(cell / mine.width) * block];
    context.drawImage(images.get(Math.floor(number / aSheet)), ...from, block, block, ...to, block, block);
  });
}
