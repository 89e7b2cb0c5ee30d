// Moments grouped by file. All text is set as text, never as markup. What is clicked goes to Python with the file and the
// time of its moment: ranks change when sounds are located.

// Pictures are asked for when their card comes into view, the one in the middle first: each costs the server some work.
const SEEN = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    SEEN.unobserve(entry.target);
    const images = [...entry.target.querySelectorAll("img")], first = images[images.length >> 1];
    const others = () => images.forEach((image) => { image.src ||= image.dataset.address; });
    first?.addEventListener("load", others, { once: true });
    first?.addEventListener("error", others, { once: true });
    if (first) first.src = first.dataset.address;
  }
}, { rootMargin: "120px" });

function strip(moment) {
  const element = made("div", "strip");
  for (const address of moment.pictures) {
    const image = made("img", moment.is_sound ? "sound" : "");
    image.decoding = "async";
    image.alt = "";
    image.dataset.address = address;
    image.addEventListener("error", () => image.replaceWith(made("span", "", "no picture")));
    element.append(image);
  }
  SEEN.observe(element);
  return element;
}

function spans(moment) {
  const element = made("div", "spans"), length = Math.max(moment.end - moment.start, 1e-3);
  for (const event of moment.events) {
    const from = Math.max(event.start, moment.start), to = Math.min(event.end, moment.end);
    const span = made("i");
    span.style.left = `${(100 * (from - moment.start)) / length}%`;
    span.style.width = `${Math.max((100 * (to - from)) / length, 0.5)}%`;
    span.style.background = colour(event.label);
    element.append(span);
  }
  return element;
}

function card(moment, level, chosen, send) {
  const element = made("article", "card");
  element.tabIndex = 0;
  Object.assign(element.dataset, { rank: moment.rank, file: moment.file, start: moment.start, end: moment.end });
  element.setAttribute("aria-label", `${moment.rank}. ${moment.name}, ${moment.when}`);
  element.classList.toggle("open", moment.rank === chosen);
  element.classList.toggle("unsure", moment.score < level);
  const body = made("div", "body"), line = made("div", "line");
  line.append(
    made("span", "score", `${moment.score < level ? "?" : ""}${moment.score.toFixed(2)}`),
    made("span", "when", moment.when), made("span", "why", moment.why));
  body.append(line);
  if (moment.events.length) {
    const events = made("div", "events");
    for (const event of moment.events) {
      const told = made("span", "", event.text), mark = made("b");
      mark.style.background = colour(event.label);
      told.prepend(mark);
      events.append(told);
    }
    body.append(events);
  }
  for (const cue of moment.cues) body.append(made("div", "cue", cue));
  const does = made("div", "does");
  does.append(button(moment.start < moment.end && !moment.is_still ? "Play" : "Show", "Open this moment (Enter)", () => send("open", moment)));
  const tray = button(moment.in_tray ? "In tray" : "+ Tray", "Take it along (t)", () => send("tray", moment));
  tray.classList.toggle("in", moment.in_tray);
  does.append(tray);
  for (const [by, title] of moment.like)
    does.append(button(`Like ${by}`, title, () => send("like", moment, by)));
  body.append(does);
  element.append(strip(moment), spans(moment), body);
  element.addEventListener("click", () => send("open", moment));
  return element;
}

// Files in the order of their best moments; those of `order` first, in that order.
function files(moments, level, chosen, send, order) {
  const groups = new Map();
  for (const moment of moments) {
    if (!groups.has(moment.file)) groups.set(moment.file, []);
    groups.get(moment.file).push(moment);
  }
  const place = ([{ file }]) => (order.includes(file) ? order.indexOf(file) : order.length);
  return [...groups.values()].sort((one, other) => place(one) - place(other)).map((found) => {
    const element = made("section", found.length > 1 ? "file many" : "file"), header = made("header"), cards = made("div", "cards");
    header.append(made("h3", "", found[0].name), made("span", "where", found[0].folder));
    if (found.length > 1) header.append(made("span", "where", `${found.length} moments`));
    if (found[0].is_away) header.append(made("span", "away", "away: its drive is not here"));
    cards.append(...found.map((moment) => card(moment, level, chosen, send)));
    element.append(header, cards);
    return element;
  });
}

function histogram(scores, level) {
  const bins = new Array(20).fill(0);
  for (const score of scores) bins[Math.min(Math.floor(score * 20), 19)] += 1;
  const most = Math.max(...bins, 1), element = made("div", "histogram");
  bins.forEach((count, at) => {
    const bar = made("i", (at + 0.5) / 20 >= level ? "in" : "");
    bar.style.height = `${(100 * Math.log1p(count)) / Math.log1p(most)}%`; // few are sure among many that are not
    bar.title = `${count} from ${(at / 20).toFixed(2)}`;
    element.append(bar);
  });
  return element;
}

function walk(event, root, moments, send) {
  const cards = [...root.querySelectorAll(".card")];
  const at = cards.indexOf(event.target.closest?.(".card") ?? null);
  const steps = { j: 1, ArrowDown: 1, ArrowRight: 1, k: -1, ArrowUp: -1, ArrowLeft: -1 };
  if (event.key in steps && event.target.tagName !== "INPUT" && !event.metaKey && !event.ctrlKey) {
    const next = cards[Math.min(Math.max(at + steps[event.key], 0), cards.length - 1)];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
    event.preventDefault();
  } else if (at >= 0 && event.target === cards[at]) {
    const moment = moments.find((each) => each.rank === Number(cards[at].dataset.rank));
    if (event.key === "Enter" || event.key === " ") send("open", moment);
    else if (event.key === "t") send("tray", moment);
    else return;
    event.preventDefault();
  }
}

// Each search is a place in the browser's history. Streamlit comes back to such a place by itself, but where something else
// is typed it makes none: it writes over the address. So the address is kept once more just before that.
function keep_places() {
  const asks = ({ target }) => {
    const before = new URLSearchParams(window.location.search).get("text");
    if (target.type === "search" && before && target.value !== before)
      window.history.pushState(window.history.state, "", window.location.href);
  };
  document.addEventListener("keydown", (event) => event.key === "Enter" && asks(event), { capture: true });
  document.addEventListener("focusout", asks, { capture: true });
  return true;
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".results"), tell = clicks(root, data.done, setStateValue);
  const send = (does, { file, start, end }, by) => tell(does, { file, start, end, by: by ?? "" });
  window.pesearchKeepsPlaces ??= keep_places();
  const show = () => {
    const focused = parentElement.activeElement?.dataset, order = root.dataset.query === data.query ? kept_order(root) : [];
    root.dataset.query = data.query;
    root.replaceChildren(...list(data, send, () => tell("more", {}), (level) => setStateValue("level", level), order));
    if (focused?.rank) same_card(root, focused)?.focus({ preventScroll: true });
    root.onkeydown = (event) => walk(event, root, data.moments, send);
    root.onpointerleave = order.length ? () => steadily(root, show) : null;
  };
  steadily(root, show);
}

// While a pointer is over the list files keep their places, though other moments are best when sounds are located: what is
// about to be clicked does not move away.
function kept_order(root) {
  return root.matches(":hover") ? [...root.querySelectorAll(".file .card:first-child")].map((each) => Number(each.dataset.file)) : [];
}

function same_card(root, { file, start, end }) {
  const of_file = [...root.querySelectorAll(`.card[data-file="${CSS.escape(file)}"]`)];
  return of_file.find((card) => Number(card.dataset.start) <= Number(end) && Number(start) <= Number(card.dataset.end));
}

function more(ask) {
  const element = made("div", "more");
  element.append(button("More moments", "Those that come after these", ask));
  return element;
}

// The head with the slider, which stays while it is moved, and the moments below it.
function list(data, send, ask, keep, order) {
  const head = made("div", "level"), told = made("div", "told"), box = made("div", "sure"), label = made("label");
  const range = made("input"), chances = made("div"), below = made("div");
  Object.assign(range, { type: "range", min: 0, max: 1, step: 0.05, value: data.level });
  range.setAttribute("aria-label", "How sure a moment has to be");
  const fill = (level) => {
    const sure = data.moments.filter((moment) => moment.score >= level);
    const is_more = !data.is_all && sure.length === data.moments.length; // those that come after are less likely
    told.textContent = sure.length
      ? `${sure.length}${is_more ? "+" : ""} moment${sure.length === 1 ? "" : "s"}`
      : "No confident match";
    if (!data.is_exact) told.append(made("span", "now", " · locating sounds"));
    label.textContent = `${data.score_name} of at least ${level.toFixed(2)}`;
    chances.replaceChildren(histogram(data.moments.map((moment) => moment.score), level));
    const shown = sure.length ? sure : data.moments.slice(0, 6), parts = [];
    if (!sure.length) parts.push(made("div", "notice", data.moments.length ? data.nearest : data.nothing));
    const cards = made("div", "files");
    cards.append(...files(shown, level, data.open, send, order));
    parts.push(cards);
    if (is_more) parts.push(more(ask));
    if (shown.length) parts.push(made("div", "keys", "Keys: arrows or j, k to walk · Enter to open · t for the tray"));
    below.replaceChildren(...parts);
  };
  range.addEventListener("input", () => fill(Number(range.value)));
  range.addEventListener("change", () => keep(Number(range.value)));
  box.append(chances, range, label);
  head.append(told);
  if (data.moments.length) head.append(box);
  fill(data.level);
  return [head, below];
}
