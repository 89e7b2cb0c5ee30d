// One moment: a player that starts where it starts and stops where it ends, and the time of the whole file under it.

const COLOURS = ["#e4572e", "#2e86ab", "#76b041", "#9b5de5", "#f2a541", "#00a6a6", "#d1495b", "#6c757d"];
const SENSE = { seen: "#2e86ab", heard: "#e4572e", "seen and heard": "#9b5de5" };
const CLOSE_SECONDS = 30; // so much on each side is shown when looking closely

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

function clock(seconds) {
  const whole = Math.max(Math.round(seconds), 0), hours = Math.floor(whole / 3600);
  const rest = `${String(Math.floor(whole / 60) % 60).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`;
  return hours ? `${hours}:${rest}` : rest;
}

function button(text, title, act) {
  const element = made("button", "", text);
  Object.assign(element, { type: "button", title });
  element.addEventListener("click", act);
  return element;
}

async function copy(text, element) {
  const before = element.textContent;
  try {
    await navigator.clipboard.writeText(text);
    element.textContent = "Copied";
  } catch {
    window.prompt("Copy this:", text);
  }
  setTimeout(() => { element.textContent = before; }, 1200);
}

// The player of the file, or of a stretch of it where the browser cannot play the file itself: `offset` is where that begins.
function player(data) {
  const media = made(data.has_pictures ? "video" : "audio");
  Object.assign(media, { controls: true, preload: "metadata", playsInline: true, src: data.source });
  let stopping = true, wanted = null;
  const at = () => media.currentTime + data.offset;
  const seek = (seconds, play) => {
    const inside = Math.min(Math.max(seconds - data.offset, 0), Number.isFinite(media.duration) ? media.duration : Infinity);
    if (media.readyState === 0) { wanted = inside; } else { media.currentTime = inside; }
    if (play) media.play().catch(() => {}); // browsers may want a click first
  };
  media.addEventListener("loadedmetadata", () => { if (wanted !== null) { media.currentTime = wanted; wanted = null; } });
  media.addEventListener("timeupdate", () => {
    if (stopping && !media.paused && at() >= data.end) { media.pause(); stopping = false; }
  });
  return {
    media, at,
    moment() { stopping = true; seek(data.start, true); },
    jump(seconds) { stopping = false; seek(seconds, true); },
  };
}

function curve(values, from, to, step, hue) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 1000 100");
  svg.setAttribute("preserveAspectRatio", "none");
  const points = [];
  values.forEach((value, number) => {
    const time = (number + 0.5) * step;
    if (time >= from - step && time <= to + step) points.push([(1000 * (time - from)) / (to - from), 100 - 96 * value]);
  });
  if (!points.length) return svg;
  points.unshift([Math.min(0, points[0][0]), points[0][1]]);
  points.push([Math.max(1000, points.at(-1)[0]), points.at(-1)[1]]);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", `M${points[0][0]},100 ${points.map(([x, y]) => `L${x.toFixed(1)},${y.toFixed(1)}`).join(" ")} L${points.at(-1)[0]},100 Z`);
  path.setAttribute("fill", hue);
  path.setAttribute("fill-opacity", "0.55");
  path.setAttribute("stroke", hue);
  path.setAttribute("vector-effect", "non-scaling-stroke");
  svg.append(path);
  return svg;
}

function row(label, className) {
  const element = made("div", `row ${className}`);
  element.append(made("span", "", label));
  return element;
}

function marks(label, spans, from, to) {
  const element = row(label, "");
  for (const span of spans) {
    if (span.end < from || span.start > to) continue;
    const mark = made("i", span.className, span.text);
    mark.title = span.title ?? span.text;
    mark.style.left = `${(100 * (Math.max(span.start, from) - from)) / (to - from)}%`;
    mark.style.width = `${(100 * (Math.min(span.end, to) - Math.max(span.start, from))) / (to - from)}%`;
    if (span.hue) mark.style.background = span.hue;
    element.append(mark);
  }
  return element;
}

function rows(data, from, to) {
  const found = data.moments.map((each) => ({
    ...each, text: "", title: each.title, className: each.is_this ? "this" : "found" }));
  const parts = [marks("moments", found, from, to)];
  for (const each of data.curves) {
    const element = row(each.sense, "curve");
    element.append(curve(each.values, from, to, each.step, SENSE[each.sense] ?? "#6c757d"));
    parts.push(element);
  }
  for (const label of new Set(data.events.map((event) => event.label)))
    parts.push(marks(label, data.events.filter((event) => event.label === label)
      .map((event) => ({ ...event, hue: colour(label) })), from, to));
  if (data.cues.length)
    parts.push(marks("said", data.cues.map((cue) => ({ ...cue, className: "cue" })), from, to));
  const ticks = made("div", "ticks");
  for (let part = 0; part <= 4; part += 1) {
    const tick = made("span", "", clock(from + ((to - from) * part) / 4));
    tick.style.left = `${part * 25}%`;
    ticks.append(tick);
  }
  return [...parts, ticks];
}

function timeline(data, play) {
  const element = made("div", "timeline"), head = made("div", "head");
  let from = 0, to = data.duration;
  const place = () => {
    const lane = element.querySelector(".row");
    const share = (play.at() - from) / (to - from);
    head.style.display = share >= 0 && share <= 1 ? "" : "none";
    head.style.left = `${lane.offsetLeft + share * lane.clientWidth}px`;
  };
  const show = (close) => {
    [from, to] = close
      ? [Math.max(data.start - CLOSE_SECONDS, 0), Math.min(data.end + CLOSE_SECONDS, data.duration)]
      : [0, data.duration];
    element.replaceChildren(...rows(data, from, to), head);
    place();
  };
  element.addEventListener("click", (event) => {
    const lane = element.querySelector(".row").getBoundingClientRect();
    const share = (event.clientX - lane.left) / lane.width;
    if (share >= 0 && share <= 1) play.jump(from + share * (to - from));
  });
  play.media.addEventListener("timeupdate", place);
  play.media.addEventListener("seeked", place);
  show(false);
  return { element, show, place };
}

function picture(data) {
  const box = made("div", "media"), image = made("img");
  Object.assign(image, { src: data.source, alt: data.name });
  box.append(image);
  return box;
}

function told(data, does, jump) {
  const element = made("div", "told");
  element.append(made("h2", "", data.name), made("div", "where", data.folder));
  element.append(made("div", "", `${data.when} · ${data.score_text} · ${data.why}`));
  const list = made("ul");
  for (const line of data.lines) {
    const item = made("li", "", line.text);
    if (jump) item.addEventListener("click", () => jump(line.start));
    list.append(item);
  }
  element.append(does);
  if (data.lines.length) element.append(list);
  return element;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".moment");
  if (root.dataset.shown === data.key) return; // a run of the page that changed nothing here: go on playing
  root.dataset.shown = data.key;
  const screen = made("div", "screen"), does = made("div", "does"), parts = [];
  if (data.notice) parts.push(made("div", "notice", data.notice));
  const close = button("Close", "Back to the results (Esc)", () => setTriggerValue("close", true));
  if (data.is_still || !data.source) {
    if (data.source) screen.append(picture(data));
    does.append(...copies(data), close);
    screen.append(told(data, does, null));
    root.replaceChildren(...parts, screen);
    return;
  }
  const play = player(data), box = made("div", "media");
  box.append(play.media);
  if (data.wave) {
    const wave = made("img", "sound");
    Object.assign(wave, { src: data.wave, alt: "", loading: "lazy" });
    wave.addEventListener("error", () => wave.remove());
    box.append(wave);
  }
  const time = timeline(data, play);
  let close_up = false;
  const zoom = button("Look closely", "The time around the moment, or of the whole file", () => {
    close_up = !close_up;
    zoom.textContent = close_up ? "Whole file" : "Look closely";
    time.show(close_up);
  });
  does.append(button("Play the moment", "From its start to its end", () => play.moment()));
  if (data.duration > data.end - data.start + 2 * CLOSE_SECONDS) does.append(zoom);
  does.append(...copies(data), close);
  screen.append(box, told(data, does, (seconds) => play.jump(seconds)));
  root.replaceChildren(...parts, screen, time.element);
  root.onkeydown = (event) => { if (event.key === "Escape") setTriggerValue("close", true); };
  const watch = new ResizeObserver(() => time.place());
  watch.observe(root);
  play.moment();
  root.scrollIntoView({ block: "nearest" });
  return () => watch.disconnect();
}

function copies(data) {
  return data.copies.map(([text, title, value]) => {
    const element = button(text, title, () => copy(value, element));
    return element;
  });
}
