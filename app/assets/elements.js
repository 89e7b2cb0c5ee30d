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
