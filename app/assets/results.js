// The list of moments, grouped by file. All text is set as text, never as markup. A click is sent to Python with the file
// and the interval of its moment, because ranks change when sounds are located.

// Pictures are requested when their card comes into view, the middle one first: each costs the server some work.
const IN_VIEW = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    IN_VIEW.unobserve(entry.target);
    const images = [...entry.target.querySelectorAll("img")], first = images[images.length >> 1];
    const loadOthers = () => images.forEach((image) => { image.src ||= image.dataset.url; });
    first?.addEventListener("load", loadOthers, { once: true });
    first?.addEventListener("error", loadOthers, { once: true });
    if (first) first.src = first.dataset.url;
  }
}, { rootMargin: "120px" });

function strip(moment) {
  const element = create("div", "strip");
  for (const url of moment.pictures) {
    const image = create("img", moment.is_sound ? "sound" : "");
    image.decoding = "async";
    image.alt = "";
    image.dataset.url = url;
    image.addEventListener("error", () => image.replaceWith(create("span", "", "no picture")));
    element.append(image);
  }
  IN_VIEW.observe(element);
  return element;
}

function eventBar(moment) {
  const element = create("div", "spans"), length = Math.max(moment.end - moment.start, 1e-3);
  for (const event of moment.events) {
    const from = Math.max(event.start, moment.start), to = Math.min(event.end, moment.end);
    const span = create("i");
    span.style.left = `${(100 * (from - moment.start)) / length}%`;
    span.style.width = `${Math.max((100 * (to - from)) / length, 0.5)}%`;
    span.style.background = colour(event.label);
    element.append(span);
  }
  return element;
}

function eventList(moment) {
  const element = create("div", "events");
  for (const event of moment.events) {
    const entry = create("span", "", event.text), mark = create("b");
    mark.style.background = colour(event.label);
    entry.prepend(mark);
    element.append(entry);
  }
  return element;
}

function actionButtons(moment, send) {
  const element = create("div", "actions"), isPlayable = moment.start < moment.end && !moment.is_still;
  const tray = button(moment.in_tray ? "In tray" : "+ Tray", "Add to the tray, or remove (T)", () => send("tray", moment));
  tray.classList.toggle("in", moment.in_tray);
  element.append(button(isPlayable ? "Play" : "Show", "Open this moment (Enter)", () => send("open", moment)), tray);
  for (const [by, title] of moment.similar)
    element.append(button(`Like ${by}`, title, () => send("like", moment, by)));
  return element;
}

// `keepsRow`: an empty row where events may come or may have been, so that the buttons stay where they are.
function card(moment, threshold, openRank, keepsRow, send) {
  const element = create("article", "card"), isAbove = moment.score >= threshold;
  element.tabIndex = 0;
  Object.assign(element.dataset, { rank: moment.rank, file: moment.file, start: moment.start, end: moment.end });
  element.setAttribute("aria-label", `${moment.rank}. ${moment.name}, ${moment.when}`);
  element.classList.toggle("open", moment.rank === openRank);
  element.classList.toggle("unsure", !isAbove);
  const body = create("div", "body"), line = create("div", "line");
  line.append(
    create("span", "score", `${isAbove ? "" : "?"}${moment.score.toFixed(2)}`),
    create("span", "when", moment.when), create("span", "why", moment.why));
  body.append(line);
  if (moment.near_duplicates) body.append(create("div", "why", moment.near_duplicates));
  if (moment.events.length) body.append(eventList(moment));
  else if (keepsRow) body.append(create("div", "events-row"));
  for (const cue of moment.cues) body.append(create("div", "cue", cue));
  body.append(actionButtons(moment, send));
  element.append(strip(moment), eventBar(moment), body);
  element.addEventListener("click", () => send("open", moment));
  return element;
}

// Files by their best moment; files in `pinnedOrder` come first, in that order.
function fileSections(moments, threshold, openRank, keepsRow, send, pinnedOrder) {
  const byFile = new Map();
  for (const moment of moments) {
    if (!byFile.has(moment.file)) byFile.set(moment.file, []);
    byFile.get(moment.file).push(moment);
  }
  const position = ([{ file }]) => (pinnedOrder.includes(file) ? pinnedOrder.indexOf(file) : pinnedOrder.length);
  return [...byFile.values()].sort((one, other) => position(one) - position(other)).map((found) => {
    const element = create("section", found.length > 1 ? "file many" : "file"), header = create("header"), cards = create("div", "cards");
    header.append(create("h3", "", found[0].name), create("span", "where", found[0].folder));
    if (found.length > 1) header.append(create("span", "where", `${found.length} moments`));
    if (found[0].absence) header.append(create("span", "absence", found[0].absence));
    cards.append(...found.map((moment) => card(moment, threshold, openRank, keepsRow, send)));
    element.append(header, cards);
    return element;
  });
}

function histogram(scores, threshold) {
  const bins = new Array(20).fill(0);
  for (const score of scores) bins[Math.min(Math.floor(score * 20), 19)] += 1;
  const maxCount = Math.max(...bins, 1), element = create("div", "histogram");
  bins.forEach((count, number) => {
    const bar = create("i", (number + 0.5) / 20 >= threshold ? "above" : "");
    bar.style.height = `${(100 * Math.log1p(count)) / Math.log1p(maxCount)}%`; // logarithmic: high scores are rare
    bar.title = `${count} moment${count === 1 ? "" : "s"} from ${(number / 20).toFixed(2)}`;
    element.append(bar);
  });
  return element;
}

function onKey(event, root, moments, send) {
  const cards = [...root.querySelectorAll(".card")];
  const index = cards.indexOf(event.target.closest?.(".card") ?? null);
  const steps = { j: 1, ArrowDown: 1, ArrowRight: 1, k: -1, ArrowUp: -1, ArrowLeft: -1 };
  if (event.key in steps && event.target.tagName !== "INPUT" && !event.metaKey && !event.ctrlKey) {
    const next = cards[Math.min(Math.max(index + steps[event.key], 0), cards.length - 1)];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
    event.preventDefault();
  } else if (index >= 0 && event.target === cards[index]) {
    const moment = moments.find(({ rank }) => rank === Number(cards[index].dataset.rank));
    if (event.key === "Enter" || event.key === " ") send("open", moment);
    else if (event.key === "t") send("tray", moment);
    else return;
    event.preventDefault();
  }
}

// Every search gets an entry in the browser's history. Streamlit restores such an entry, but replaces the current one when
// something else is typed; so the current URL is pushed again just before that.
function keepHistory() {
  const onSubmit = ({ target }) => {
    const before = new URLSearchParams(window.location.search).get("text");
    if (target.type === "search" && before && target.value !== before)
      window.history.pushState(window.history.state, "", window.location.href);
  };
  document.addEventListener("keydown", (event) => event.key === "Enter" && onSubmit(event), { capture: true });
  document.addEventListener("focusout", onSubmit, { capture: true });
  return true;
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".results"), sendClick = clickSender(root, data.handled, setStateValue);
  const send = (action, { file, start, end }, by) => sendClick(action, { file, start, end, by: by ?? "" });
  window.pesearchKeepsHistory ??= keepHistory();
  const render = () => {
    const focused = parentElement.activeElement?.dataset;
    const order = root.dataset.query === data.query ? orderWhileHovered(root) : [];
    root.dataset.query = data.query;
    root.replaceChildren(...list(data, send, () => sendClick("more", {}), (threshold) => setStateValue("threshold", threshold), order));
    if (focused?.rank) sameCard(root, focused)?.focus({ preventScroll: true });
    root.onkeydown = (event) => onKey(event, root, data.moments, send);
    root.onpointerleave = order.length ? () => renderWhenReleased(root, render) : null;
  };
  renderWhenReleased(root, render);
}

// The current order of files while the pointer is over the list, so that the card under it stays there when located sounds
// change the ranking.
function orderWhileHovered(root) {
  return root.matches(":hover") ? [...root.querySelectorAll(".file .card:first-child")].map((first) => Number(first.dataset.file)) : [];
}

function sameCard(root, { file, start, end }) {
  const ofFile = [...root.querySelectorAll(`.card[data-file="${CSS.escape(file)}"]`)];
  return ofFile.find((card) => Number(card.dataset.start) <= Number(end) && Number(start) <= Number(card.dataset.end));
}

function moreButton(onClick) {
  const element = create("div", "more");
  element.append(button("More moments", "Show further moments", onClick));
  return element;
}

// The header with the threshold slider, whose element stays the same while it is dragged, and the moments below.
function list(data, send, onMore, onThreshold, order) {
  const header = create("div", "threshold"), summary = create("div", "summary"), slider = create("div", "slider");
  const range = create("input"), scores = create("div"), label = create("label"), below = create("div");
  Object.assign(range, { type: "range", min: 0, max: 1, step: 0.05, value: data.threshold });
  range.setAttribute("aria-label", `Minimum ${data.score_name}`);
  const fill = (threshold) => {
    const above = data.moments.filter((moment) => moment.score >= threshold);
    const hasMore = !data.is_complete && above.length === data.moments.length; // further moments score lower
    summary.textContent = above.length
      ? `${above.length}${hasMore ? "+" : ""} moment${above.length === 1 ? "" : "s"}`
      : "No confident match";
    if (!data.is_located) summary.append(create("span", "now", " · locating sounds"));
    label.textContent = `Minimum ${data.score_name}: ${threshold.toFixed(2)}`;
    scores.replaceChildren(histogram(data.moments.map((moment) => moment.score), threshold));
    const shown = above.length ? above : data.moments.slice(0, 6), parts = [];
    if (!above.length) parts.push(create("div", "notice", data.moments.length ? data.below_threshold : data.no_moments));
    const files = create("div", "files");
    files.append(...fileSections(shown, threshold, data.open, !data.is_located || order.length > 0, send, order));
    parts.push(files);
    if (hasMore) parts.push(moreButton(onMore));
    if (shown.length) parts.push(create("div", "keys", "Keys: arrows or J/K to move · Enter to open · T to add to the tray"));
    below.replaceChildren(...parts);
  };
  range.addEventListener("input", () => fill(Number(range.value)));
  range.addEventListener("change", () => onThreshold(Number(range.value)));
  slider.append(scores, range, label);
  header.append(summary);
  if (data.moments.length) header.append(slider);
  fill(data.threshold);
  return [header, below];
}
