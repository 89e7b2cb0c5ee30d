// One moment: a player that starts where it starts and stops where it ends, and the time of the whole file under it.

const SENSE = { seen: "#2e86ab", heard: "#e4572e", "seen and heard": "#9b5de5" };
const CLOSE_SECONDS = 30; // so much on each side is shown when looking closely
const CUT_BEFORE_SECONDS = 10, CUT_AFTER_SECONDS = 30, LONGEST_CUT_SECONDS = 600; // of what is made playable at a time

function clock(seconds) {
  const whole = Math.max(Math.round(seconds), 0), hours = Math.floor(whole / 3600);
  const rest = `${String(Math.floor(whole / 60) % 60).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`;
  return hours ? `${hours}:${rest}` : rest;
}

async function copy(text, element, name) {
  try {
    await navigator.clipboard.writeText(text);
    element.textContent = "Copied";
  } catch {
    window.prompt("Copy this:", text);
  }
  setTimeout(() => { element.textContent = name; }, 1200);
}

// The player of the file; of a stretch of it at a time, made playable by the server, where the browser cannot play the
// file itself: then `offset` is where in the file the stretch begins, and `length` how long it is.
function player(shown, tell) {
  const media = made(shown.now.has_pictures ? "video" : "audio");
  Object.assign(media, { controls: true, preload: "auto", playsInline: true });
  let stopping = true, wanted = null, offset = 0, length = Infinity, is_cut = !shown.now.can_play;
  const at = () => media.currentTime + offset;
  const load = (seconds) => {
    if (is_cut) {
      const to = seconds < shown.now.end ? shown.now.end : seconds;
      offset = Math.max(Math.floor(seconds) - CUT_BEFORE_SECONDS, 0);
      length = Math.min(to + CUT_AFTER_SECONDS, shown.now.duration, offset + LONGEST_CUT_SECONDS) - offset;
      tell("This browser cannot play the file: the server makes this part of it playable.");
      media.src = shown.now.proxy.join(`${Math.round(1000 * offset)}-${Math.round(1000 * (offset + length))}`);
    } else {
      media.src = shown.now.source;
    }
  };
  const seek = (seconds) => {
    if (!media.src || seconds < offset || seconds >= offset + length) load(seconds);
    if (media.readyState === 0) wanted = seconds;
    else media.currentTime = seconds - offset;
    media.play().catch(() => {}); // browsers may want a click first
  };
  media.addEventListener("loadedmetadata", () => {
    tell("");
    if (wanted !== null) media.currentTime = wanted - offset;
    wanted = null;
  });
  media.addEventListener("error", () => {
    if (is_cut) return tell("This part of the file cannot be played.");
    is_cut = true;
    media.removeAttribute("src");
    seek(wanted ?? shown.now.start);
  });
  media.addEventListener("timeupdate", () => {
    if (stopping && !media.paused && at() >= shown.now.end) { media.pause(); stopping = false; }
  });
  const play = {
    media, at, placed() {},
    moment() { stopping = true; seek(shown.now.start); },
    jump(seconds) { stopping = false; seek(seconds); },
  };
  for (const name of ["timeupdate", "seeked"]) media.addEventListener(name, () => play.placed());
  return play;
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
  return [...parts, ticks(from, to)];
}

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
const MOST_TICKS = 6;

// Whole seconds, minutes and hours, as a clock is read.
function ticks(from, to) {
  const element = made("div", "ticks"), length = to - from;
  const step = STEPS.find((each) => length / each <= MOST_TICKS) ?? 3600 * Math.ceil(length / MOST_TICKS / 3600);
  for (let number = Math.ceil(from / step); number * step <= to; number += 1) {
    const at = number * step, tick = made("span", "", step < 1 ? at.toFixed(1) : clock(at));
    tick.style.left = `${(100 * (at - from)) / length}%`;
    element.append(tick);
  }
  return element;
}

function timeline(data, play, is_close) {
  const element = made("div", "timeline"), head = made("div", "head");
  const from = is_close ? Math.max(data.start - CLOSE_SECONDS, 0) : 0;
  const to = is_close ? Math.min(data.end + CLOSE_SECONDS, data.duration) : data.duration;
  element.replaceChildren(...rows(data, from, to), head);
  element.addEventListener("click", (event) => {
    const lane = element.querySelector(".row").getBoundingClientRect();
    const share = (event.clientX - lane.left) / lane.width;
    if (share >= 0 && share <= 1) play.jump(from + share * (to - from));
  });
  const place = () => {
    const lane = element.querySelector(".row"), share = (play.at() - from) / (to - from);
    head.style.display = share >= 0 && share <= 1 ? "" : "none";
    head.style.left = `${lane.offsetLeft + share * lane.clientWidth}px`;
  };
  return { element, place };
}

function picture(data) {
  const box = made("div", "media"), image = made("img");
  Object.assign(image, { src: data.source, alt: data.name });
  image.addEventListener("error", () => box.remove());
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

// What is shown in an element: `now` is its data, which may become more exact while the player goes on.
const SHOWN = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".moment"), tell = clicks(root, data.done, setStateValue);
  const close = () => tell("close");
  root.onkeydown = (event) => { if (event.key === "Escape") close(); };
  steadily(root, () => {
    const shown = SHOWN.get(root);
    if (shown?.now.opened === data.opened) {
      shown.now = data;
      shown.around();
    } else {
      SHOWN.set(root, opened(root, data, close));
    }
  });
}

function opened(root, data, close) {
  const shown = { now: data, copies: {} }, away = data.notice ? [made("div", "notice", data.notice)] : [];
  const screen = made("div", "screen");
  const end = () => button("Close", "Back to the results (Esc)", close);
  if (data.is_still || data.notice) {
    shown.around = () => {
      const does = made("div", "does");
      does.append(...copies(shown), end());
      screen.replaceChildren(...(data.source ? [picture(data)] : []), told(shown.now, does, null));
    };
    shown.around();
    root.replaceChildren(...away, screen);
    return shown;
  }
  const notice = made("div", "notice"), tell = (text) => { notice.textContent = text; notice.hidden = !text; };
  const play = player(shown, tell), box = made("div", "media"), place = made("div");
  let is_close = false;
  tell("");
  box.append(play.media, notice);
  if (data.wave) {
    const wave = made("img", "sound");
    Object.assign(wave, { src: data.wave, alt: "", loading: "lazy" });
    wave.addEventListener("error", () => wave.remove());
    box.append(wave);
  }
  shown.around = () => {
    const does = made("div", "does"), time = timeline(shown.now, play, is_close);
    does.append(button("Play the moment", "From its start to its end", () => play.moment()));
    if (shown.now.duration > shown.now.end - shown.now.start + 2 * CLOSE_SECONDS)
      does.append(button(is_close ? "Whole file" : "Look closely", "The time around the moment, or of the whole file", () => {
        is_close = !is_close;
        shown.around();
      }));
    does.append(...copies(shown), end());
    screen.replaceChildren(box, told(shown.now, does, (seconds) => play.jump(seconds)));
    place.replaceChildren(time.element);
    play.placed = time.place;
    time.place();
  };
  root.replaceChildren(...away, screen, place);
  shown.around();
  new ResizeObserver(() => play.placed()).observe(root);
  play.moment();
  root.scrollIntoView({ block: "nearest" });
  return shown;
}

// The same buttons for as long as the moment is open: one that says "Copied" goes on saying it when more becomes known.
function copies(shown) {
  const copier = (name, title) => {
    const value = () => shown.now.copies.find(([each]) => each === name)[2];
    const element = button(name, title, () => copy(value(), element, name));
    return element;
  };
  return shown.now.copies.map(([name, title]) => (shown.copies[name] ??= copier(name, title)));
}
