// One open moment: a player that plays from its start to its end, and the timeline of the whole file below.

const SENSE_COLOURS = { seen: "#2e86ab", heard: "#e4572e", "seen and heard": "#9b5de5" };
const ZOOM_MARGIN_SECONDS = 30; // on each side of the moment when zoomed in
const PROXY_LEAD_SECONDS = 10, PROXY_TAIL_SECONDS = 30, MAX_PROXY_SECONDS = 600; // of the interval that is converted at a time

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
    window.prompt("Copy this text:", text);
  }
  setTimeout(() => { element.textContent = name; }, 1200);
}

// The player of the file. Where the browser cannot play it, the player of a proxy that the server makes of one interval at a
// time: `offset` is where in the file that interval starts, `length` how long it is, both in seconds.
function player(view, showNotice) {
  const media = create(view.data.has_pictures ? "video" : "audio");
  Object.assign(media, { controls: true, preload: "auto", playsInline: true });
  let stopsAtEnd = true, pendingSeek = null, offset = 0, length = Infinity, usesProxy = !view.data.can_play;
  const time = () => media.currentTime + offset;
  const load = (seconds) => {
    if (usesProxy) {
      const to = seconds < view.data.end ? view.data.end : seconds;
      offset = Math.max(Math.floor(seconds) - PROXY_LEAD_SECONDS, 0);
      length = Math.min(to + PROXY_TAIL_SECONDS, view.data.duration, offset + MAX_PROXY_SECONDS) - offset;
      showNotice("Browsers cannot play this file format. Converting this part…");
      media.src = view.data.proxy.join(`${Math.round(1000 * offset)}-${Math.round(1000 * (offset + length))}`);
    } else {
      media.src = view.data.source;
    }
  };
  const seek = (seconds) => {
    if (!media.src || seconds < offset || seconds >= offset + length) load(seconds);
    if (media.readyState === 0) pendingSeek = seconds;
    else media.currentTime = seconds - offset;
    media.play().catch(() => {}); // browsers may require a click first
  };
  media.addEventListener("loadedmetadata", () => {
    showNotice("");
    if (pendingSeek !== null) media.currentTime = pendingSeek - offset;
    pendingSeek = null;
  });
  media.addEventListener("error", () => {
    if (usesProxy) return showNotice("This part of the file cannot be played.");
    usesProxy = true;
    media.removeAttribute("src");
    seek(pendingSeek ?? view.data.start);
  });
  media.addEventListener("timeupdate", () => {
    if (stopsAtEnd && !media.paused && time() >= view.data.end) { media.pause(); stopsAtEnd = false; }
  });
  const controls = {
    media, time, movePlayhead() {},
    playMoment() { stopsAtEnd = true; seek(view.data.start); },
    jump(seconds) { stopsAtEnd = false; seek(seconds); },
  };
  for (const name of ["timeupdate", "seeked"]) media.addEventListener(name, () => controls.movePlayhead());
  return controls;
}

function curve(values, from, to, step, colour) {
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
  path.setAttribute("fill", colour);
  path.setAttribute("fill-opacity", "0.55");
  path.setAttribute("stroke", colour);
  path.setAttribute("vector-effect", "non-scaling-stroke");
  svg.append(path);
  return svg;
}

function row(label, className) {
  const element = create("div", `row ${className}`);
  element.append(create("span", "", label));
  return element;
}

function intervalRow(label, intervals, from, to) {
  const element = row(label, "");
  for (const interval of intervals) {
    if (interval.end < from || interval.start > to) continue;
    const mark = create("i", interval.className, interval.text);
    mark.title = interval.title ?? interval.text;
    mark.style.left = `${(100 * (Math.max(interval.start, from) - from)) / (to - from)}%`;
    mark.style.width = `${(100 * (Math.min(interval.end, to) - Math.max(interval.start, from))) / (to - from)}%`;
    if (interval.colour) mark.style.background = interval.colour;
    element.append(mark);
  }
  return element;
}

function rows(data, from, to) {
  const moments = data.moments.map((moment) => ({ ...moment, text: "", className: moment.is_this ? "this" : "found" }));
  const parts = [intervalRow("moments", moments, from, to)];
  for (const { sense, step, values } of data.curves) {
    const element = row(sense, "curve");
    element.append(curve(values, from, to, step, SENSE_COLOURS[sense] ?? "#6c757d"));
    parts.push(element);
  }
  for (const label of new Set(data.events.map((event) => event.label)))
    parts.push(intervalRow(label, data.events.filter((event) => event.label === label)
      .map((event) => ({ ...event, colour: colour(label) })), from, to));
  if (data.cues.length)
    parts.push(intervalRow("said", data.cues.map((cue) => ({ ...cue, className: "cue" })), from, to));
  return [...parts, ticks(from, to)];
}

const TICK_STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400]; // seconds
const MAX_TICKS = 6;

function ticks(from, to) {
  const element = create("div", "ticks"), length = to - from;
  const step = TICK_STEPS.find((seconds) => length / seconds <= MAX_TICKS) ?? 3600 * Math.ceil(length / MAX_TICKS / 3600);
  for (let number = Math.ceil(from / step); number * step <= to; number += 1) {
    const at = number * step, tick = create("span", "", step < 1 ? at.toFixed(1) : clock(at));
    tick.style.left = `${(100 * (at - from)) / length}%`;
    element.append(tick);
  }
  return element;
}

function timeline(data, controls, isZoomed) {
  const element = create("div", "timeline"), playhead = create("div", "playhead");
  const from = isZoomed ? Math.max(data.start - ZOOM_MARGIN_SECONDS, 0) : 0;
  const to = isZoomed ? Math.min(data.end + ZOOM_MARGIN_SECONDS, data.duration) : data.duration;
  element.replaceChildren(...rows(data, from, to), playhead);
  element.addEventListener("click", (event) => {
    const lane = element.querySelector(".row").getBoundingClientRect();
    const fraction = (event.clientX - lane.left) / lane.width;
    if (fraction >= 0 && fraction <= 1) controls.jump(from + fraction * (to - from));
  });
  const movePlayhead = () => {
    const lane = element.querySelector(".row"), fraction = (controls.time() - from) / (to - from);
    playhead.style.display = fraction >= 0 && fraction <= 1 ? "" : "none";
    playhead.style.left = `${lane.offsetLeft + fraction * lane.clientWidth}px`;
  };
  return { element, movePlayhead };
}

function picture(data) {
  const box = create("div", "media"), image = create("img");
  Object.assign(image, { src: data.source, alt: data.name });
  image.addEventListener("error", () => box.remove());
  box.append(image);
  return box;
}

function details(data, actions, jump) {
  const element = create("div", "details"), list = create("ul");
  element.append(create("h2", "", data.name), create("div", "where", data.folder));
  element.append(create("div", "", `${data.when} · ${data.score_text} · ${data.why}`));
  element.append(create("div", "recording", data.recording));
  if (data.remarks.length) {
    const remarks = create("div", "remarks");
    for (const remark of data.remarks) remarks.append(create("div", "", remark));
    element.append(remarks);
  }
  for (const line of data.lines) {
    const item = create("li", "", line.text);
    if (jump) item.addEventListener("click", () => jump(line.start));
    list.append(item);
  }
  element.append(actions);
  if (data.lines.length) element.append(list);
  return element;
}

// The view shown in each root element. Its `data` may change while the player plays on: located sounds make the moment exact.
const VIEWS = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".moment"), sendClick = clickSender(root, data.handled, setStateValue);
  const close = () => sendClick("close");
  root.onkeydown = (event) => { if (event.key === "Escape") close(); };
  renderWhenReleased(root, () => {
    const view = VIEWS.get(root);
    if (view?.data.opening === data.opening) {
      view.data = data;
      view.render();
    } else {
      VIEWS.set(root, open(root, data, close));
    }
  });
}

function open(root, data, close) {
  const isPlayable = !data.is_still && !data.notice;
  const view = { data, copyButtons: {}, render() {} };
  const closeButton = () => button("Close", "Back to the results (Esc)", close);
  (isPlayable ? openPlayer : openPicture)(root, view, closeButton);
  return view;
}

// A still image, or the preview of a file that is offline or was not found.
function openPicture(root, view, closeButton) {
  const notice = view.data.notice ? [create("div", "notice", view.data.notice)] : [], screen = create("div", "screen");
  view.render = () => {
    const actions = create("div", "actions");
    actions.append(...copyButtons(view), closeButton());
    screen.replaceChildren(...(view.data.source ? [picture(view.data)] : []), details(view.data, actions, null));
  };
  view.render();
  root.replaceChildren(...notice, screen);
}

function openPlayer(root, view, closeButton) {
  const screen = create("div", "screen"), box = create("div", "media"), notice = create("div", "notice"), below = create("div");
  const showNotice = (text) => { notice.textContent = text; notice.hidden = !text; };
  const controls = player(view, showNotice);
  let isZoomed = false;
  showNotice("");
  box.append(controls.media, notice);
  if (view.data.wave) {
    const wave = create("img", "sound");
    Object.assign(wave, { src: view.data.wave, alt: "", loading: "lazy" });
    wave.addEventListener("error", () => wave.remove());
    box.append(wave);
  }
  view.render = () => {
    const actions = create("div", "actions"), time = timeline(view.data, controls, isZoomed);
    actions.append(button("Play moment", "Play from start to end", () => controls.playMoment()));
    if (view.data.duration > view.data.end - view.data.start + 2 * ZOOM_MARGIN_SECONDS)
      actions.append(button(isZoomed ? "Whole file" : "Zoom in", isZoomed ? "Show the whole file" : "Show the time around this moment", () => {
        isZoomed = !isZoomed;
        view.render();
      }));
    actions.append(...copyButtons(view), closeButton());
    screen.replaceChildren(box, details(view.data, actions, (seconds) => controls.jump(seconds)));
    below.replaceChildren(time.element);
    controls.movePlayhead = time.movePlayhead;
    time.movePlayhead();
  };
  root.replaceChildren(screen, below);
  view.render();
  new ResizeObserver(() => controls.movePlayhead()).observe(root);
  controls.playMoment();
  root.scrollIntoView({ block: "nearest" });
}

// The same button elements for as long as the moment is open, so that "Copied" stays when the view is rendered again.
function copyButtons(view) {
  const copyButton = (name, title) => {
    const text = () => view.data.copies.find(([label]) => label === name)[2];
    const element = button(name, title, () => copy(text(), element, name));
    return element;
  };
  return view.data.copies.map(([name, title]) => (view.copyButtons[name] ??= copyButton(name, title)));
}
