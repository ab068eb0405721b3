// A box on a frame of the film, drawn with mouse, finger or keys, and held as "left,top,width,height" in its pixels.

import { element } from "./dom.js";

const STEPS = 40; // key presses from one edge of the picture to the other
let film = ""; // the address of the film whose frame is shown

/** The frame that goes with a field; drawing on it writes the field, and what is typed there moves the box. */
export function frame(field) {
  const video = element("video", { muted: true, playsInline: true, preload: "auto" });
  const mark = element("div", { className: "mark", hidden: true });
  const node = element("div", { className: "frame", tabIndex: 0, hidden: true }, video, mark);
  node.setAttribute("role", "application");
  node.setAttribute("aria-label", "Frame of the film: arrows move the box, with Shift they change its size, Delete removes it");
  const size = () => [video.videoWidth, video.videoHeight];
  let from = null;

  const held = () => {
    const found = field.value.split(",").map(Number);
    return found.length === 4 && found.every(Number.isFinite) ? found : null;
  };
  const draw = () => {
    const box = held(), [wide, high] = size();
    mark.hidden = !box || !wide;
    if (mark.hidden) return;
    [["left", wide], ["top", high], ["width", wide], ["height", high]]
      .forEach(([name, whole], at) => { mark.style[name] = `${100 * box[at] / whole}%`; });
  };
  const set = (left, top, right, bottom) => {
    const [wide, high] = size(), within = (value, most) => Math.min(Math.max(Math.round(value), 0), most);
    const x = within(Math.min(left, right), wide - 1), y = within(Math.min(top, bottom), high - 1);
    const across = within(Math.max(left, right), wide) - x, down = within(Math.max(top, bottom), high) - y;
    field.value = [x, y, Math.max(across, 1), Math.max(down, 1)].join(",");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const at = event => {
    const place = video.getBoundingClientRect(), [wide, high] = size();
    return [(event.clientX - place.left) / place.width * wide, (event.clientY - place.top) / place.height * high];
  };

  node.addEventListener("pointerdown", event => {
    if (!size()[0]) return;
    node.setPointerCapture(event.pointerId);
    from = at(event);
  });
  node.addEventListener("pointermove", event => from && set(...from, ...at(event)));
  node.addEventListener("pointerup", () => { from = null; });
  node.addEventListener("pointercancel", () => { from = null; });
  node.addEventListener("keydown", event => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const [wide, high] = size();
    if (event.key === "Delete" || event.key === "Backspace") field.value = "";
    else if (!way || !wide) return;
    else {
      const [x, y, across, down] = held() ?? [wide / 4, high / 4, wide / 2, high / 2];
      const [dx, dy] = [way[0] * Math.max(1, wide / STEPS), way[1] * Math.max(1, high / STEPS)];
      if (event.shiftKey) set(x, y, Math.max(x + 1, x + across + dx), Math.max(y + 1, y + down + dy));
      else {
        const [left, top] = [Math.min(Math.max(x + dx, 0), wide - across), Math.min(Math.max(y + dy, 0), high - down)];
        set(left, top, left + across, top + down);
      }
    }
    event.preventDefault();
    draw();
  });
  field.addEventListener("input", draw);
  video.addEventListener("loadeddata", draw);
  node.show = address => {
    node.hidden = !address;
    if (address) video.src = address;
    else video.removeAttribute("src");
  };
  node.show(film);
  return node;
}

/** Shows the first frame of a film, a blob, wherever a box is asked for; null shows none. */
export function show(blob) {
  if (film) URL.revokeObjectURL(film);
  film = blob ? URL.createObjectURL(blob) : "";
  for (const node of document.querySelectorAll(".frame")) node.show(film);
}
