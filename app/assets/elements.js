// Shared by the components: elements whose text is never markup, a colour for each sound, and clicks.

const COLOURS = ["#e4572e", "#2e86ab", "#76b041", "#9b5de5", "#f2a541", "#00a6a6", "#d1495b", "#6c757d"];

function colour(label) {
  let hash = 0;
  for (const char of label) hash = (hash * 31 + char.codePointAt(0)) >>> 0;
  return COLOURS[hash % COLOURS.length];
}

function create(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function button(text, title, onClick) {
  const element = create("button", "", text);
  Object.assign(element, { type: "button", title });
  element.addEventListener("click", (event) => { event.stopPropagation(); onClick(); });
  return element;
}

// Clicks that the page has not confirmed yet. They are part of the component's state, which is sent with every message
// until they are confirmed; a trigger is sent with one message only, and is lost when the page reruns at that moment.
const PENDING = new WeakMap();

function clickSender(root, handled, setStateValue) {
  const state = PENDING.get(root) ?? { clicks: [], lastNumber: 0 };
  PENDING.set(root, state);
  state.clicks = state.clicks.filter((click) => click.number > handled);
  return (action, details) => {
    state.lastNumber = Math.max(state.lastNumber + 1, handled + 1, Date.now());
    state.clicks = [...state.clicks, { number: state.lastNumber, action, ...details }];
    setStateValue("clicks", state.clicks);
  };
}

// Renders now, or, while a pointer is pressed, after its release: a button that is replaced between pointerdown and
// pointerup gets no click event.
const POINTERS = new WeakMap();

function renderWhenReleased(root, render) {
  const pointer = POINTERS.get(root) ?? watchPointer(root);
  if (pointer.isDown) pointer.pendingRender = render;
  else render();
}

function watchPointer(root) {
  const pointer = { isDown: false, pendingRender: null };
  POINTERS.set(root, pointer);
  root.addEventListener("pointerdown", () => {
    const listeners = new AbortController();
    const release = () => {
      listeners.abort();
      setTimeout(() => { // after the click event
        pointer.isDown = false;
        pointer.pendingRender?.();
        pointer.pendingRender = null;
      });
    };
    pointer.isDown = true;
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, release, { capture: true, signal: listeners.signal });
  }, { capture: true });
  return pointer;
}
