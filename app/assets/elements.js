// What the parts of the page have in common: elements whose text is text, and a colour for each sound.

const COLOURS = ["#e4572e", "#2e86ab", "#76b041", "#9b5de5", "#f2a541", "#00a6a6", "#d1495b", "#6c757d"];

function colour(label) {
  let sum = 0;
  for (const char of label) sum = (sum * 31 + char.codePointAt(0)) >>> 0;
  return COLOURS[sum % COLOURS.length];
}

function made(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function button(text, title, act) {
  const element = made("button", "", text);
  Object.assign(element, { type: "button", title });
  element.addEventListener("click", (event) => { event.stopPropagation(); act(); });
  return element;
}

// What was clicked and is not done yet. It is a state of the component, which goes along with every message until the page
// says that it is done; a trigger goes with one message, and is lost where the page is laid out anew just then.
const WAITING = new WeakMap();

function clicks(root, done, setStateValue) {
  const held = WAITING.get(root) ?? { waiting: [], last: 0 };
  WAITING.set(root, held);
  held.waiting = held.waiting.filter((click) => click.number > done);
  return (does, more) => {
    held.last = Math.max(held.last + 1, done + 1, Date.now());
    held.waiting = [...held.waiting, { number: held.last, does, ...more }];
    setStateValue("clicks", held.waiting);
  };
}

// Shows something new, but not while a pointer is down: what is pressed has to be there when it is let go, or no click
// comes of it.
const PRESSED = new WeakMap();

function steadily(root, show) {
  const held = PRESSED.get(root) ?? watched(root);
  if (held.is_down) held.later = show;
  else show();
}

function watched(root) {
  const held = { is_down: false, later: null };
  PRESSED.set(root, held);
  root.addEventListener("pointerdown", () => {
    const over = new AbortController();
    const up = () => {
      over.abort();
      setTimeout(() => { // the click comes after this
        held.is_down = false;
        held.later?.();
        held.later = null;
      });
    };
    held.is_down = true;
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, up, { capture: true, signal: over.signal });
  }, { capture: true });
  return held;
}
