/* Plays a recording: time, speed, keys, and what is told to those who do not see it. */
(() => {
  const data = JSON.parse(document.getElementById("views").textContent);
  const player = document.getElementById("player");
  const part = (name) => player.querySelector(`[data-part="${name}"]`);
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  const views = data.map((view) => ({
    ...view,
    places: numbers(view.places, Int16Array),
    beside: view.beside && { ...view.beside, places: numbers(view.beside.places, Int16Array) },
    rests: view.rests && {
      ...view.rests,
      rates: numbers(view.rests.rates, Int8Array),
      parts: view.rests.parts.map((row) => ({ ...row, values: numbers(row.values, Int8Array) })),
    },
    measures: view.measures.map((measure) => ({
      ...measure,
      sides: measure.sides.map((side) => numbers(side, Int16Array)),
      beside: measure.beside?.map((side) => numbers(side, Int16Array)),
    })),
  }));

  const stage = new Stage(part("canvas"), part("flat"));
  let view = null;
  let seconds = 0;
  let playing = false;
  let before = 0;
  let said = 0;

  const frameOf = (time) => (time / (view.seconds || 1)) * (view.frames - 1);
  const timeOf = (frame) => (frame / Math.max(view.frames - 1, 1)) * view.seconds;
  const timeline = new Timeline(part("timeline"), (share) => {
    pause();
    seek(share * view.seconds);
  });

  function seek(time) {
    seconds = Math.min(view.seconds, Math.max(0, time));
    stage.draw(frameOf(seconds));
    timeline.mark(seconds);
    part("time").value = Math.round(frameOf(seconds));
    part("clock").textContent = `${seconds.toFixed(2)} of ${view.seconds.toFixed(2)} s`;
    if (!playing) tell();
  }

  /* The moment in words: read aloud when the picture stands still. */
  function moment() {
    const frame = Math.round(frameOf(seconds));
    const told = [`${seconds.toFixed(1)} seconds`];
    const count = view.repetitions.length;
    const at = view.repetitions.findIndex(([start, stop]) => start <= seconds && seconds < stop);
    if (count) told.push(at < 0 ? "between repetitions" : `repetition ${at + 1} of ${count}`);
    const so = view.soFar.filter(([time]) => time <= seconds + 1e-6).at(-1);
    if (so) told.push(`score so far ${signed(so[1].toFixed(view.digits))}`);
    const measure = view.measures[timeline.measure];
    if (measure) {
      const unit = measure.unit === "cm" ? " cm" : "°";
      const value = (side) => `${signed(Math.round(side[frame] / 10))}${unit}`;
      const [left, right] = measure.sides;
      const name = measure.title.toLowerCase();
      told.push(right ? `${name} left ${value(left)}, right ${value(right)}` : `${name} ${value(left)}`);
    }
    return `${told.join("; ")}.`;
  }

  function tell() {
    clearTimeout(said);
    said = setTimeout(() => {
      part("said").textContent = moment();
    }, 150);
  }

  function label() {
    part("play").textContent = playing ? "Pause" : "Play";
  }

  function step(now) {
    if (!playing) return;
    const speed = Number(part("speed").value);
    let next = seconds + ((now - before) / 1000) * speed;
    before = now;
    if (next >= view.seconds) {
      if (part("loop").checked) next %= view.seconds || 1;
      else playing = false;
    }
    seek(next);
    if (playing) requestAnimationFrame(step);
    else label();
  }

  function play() {
    if (seconds >= view.seconds - 1e-6) seek(0);
    playing = true;
    part("said").textContent = "";
    label();
    requestAnimationFrame((now) => {
      before = now;
      step(now);
    });
  }

  function pause() {
    playing = false;
    label();
    tell();
  }

  function byFrames(count) {
    pause();
    seek(timeOf(Math.round(frameOf(seconds)) + count));
  }

  function faster(way) {
    const speed = part("speed");
    speed.selectedIndex = Math.min(speed.length - 1, Math.max(0, speed.selectedIndex + way));
  }

  function tick(name) {
    part(name).click();
  }

  const keys = {
    " ": () => (playing ? pause() : play()),
    ArrowLeft: () => byFrames(-1),
    ArrowRight: () => byFrames(1),
    PageUp: () => byFrames(Math.round(-view.frames / 20)),
    PageDown: () => byFrames(Math.round(view.frames / 20)),
    Home: () => byFrames(-view.frames),
    End: () => byFrames(view.frames),
    "[": () => faster(-1),
    "]": () => faster(1),
    l: () => tick("loop"),
    f: () => stage.look("front"),
    s: () => stage.look("side"),
    a: () => stage.look("above"),
  };
  player.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (!keys[key] || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.matches("select") || (key === " " && target.matches("button, input"))) return;
    event.preventDefault();
    keys[key]();
  });

  part("play").addEventListener("click", keys[" "]);
  part("back").addEventListener("click", keys.ArrowLeft);
  part("on").addEventListener("click", keys.ArrowRight);
  part("time").addEventListener("input", (event) => {
    playing = false;
    label();
    seek(timeOf(Number(event.target.value)));
  });
  for (const button of player.querySelectorAll("[data-look]")) {
    button.addEventListener("click", () => stage.look(button.dataset.look));
  }
  for (const option of ["colours", "beside"]) {
    part(option).addEventListener("change", (event) => {
      stage.options[option] = event.target.checked;
      stage.draw();
    });
  }
  part("measure").addEventListener("change", (event) => {
    timeline.measure = Number(event.target.value);
    timeline.build();
    tell();
  });

  /* Moments for paper, and for who sees the page without moving pictures: lines, no canvas. */
  function moments(place) {
    const count = 6;
    const frames = Array.from({ length: count }, (_, i) => Math.round(((i + 0.5) / count) * (view.frames - 1)));
    const camera = { yaw: 0.45, pitch: 0.1 };
    place.replaceChildren(
      ...frames.map((frame) => {
        const svg = drawn("svg", { viewBox: `-${view.height / 2} -${view.height * 0.55} ${view.height} ${view.height * 1.1}`, role: "img", "aria-label": `The body at ${timeOf(frame).toFixed(1)} seconds` });
        const body = (places, css) => {
          const at = seen(view, placesAt(view, places, frame), camera);
          for (const [child, parent] of view.bones) {
            const side = ["middle", "left", "right"][view.sides[child]];
            svg.append(drawn("line", { class: css ?? side, x1: at[child][0], y1: -at[child][1], x2: at[parent][0], y2: -at[parent][1] }));
          }
        };
        if (view.beside) body(view.beside.places, "other");
        body(view.places);
        const caption = document.createElement("figcaption");
        caption.textContent = `${timeOf(frame).toFixed(1)} s`;
        const figure = document.createElement("figure");
        figure.append(svg, caption);
        return figure;
      }),
    );
  }

  function show(number) {
    pause();
    view = views[number];
    for (const article of document.querySelectorAll("[data-view]")) {
      article.hidden = Number(article.dataset.view) !== number;
    }
    const article = document.querySelector(`[data-view="${number}"]`);
    article.querySelector("[data-player]").append(player);
    moments(article.querySelector("[data-moments]"));
    stage.canvas.setAttribute("aria-label", view.described);
    part("time").max = view.frames - 1;
    part("colours").closest("label").hidden = !view.rests;
    part("beside").closest("label").hidden = !view.beside;
    const chosen = Math.max(0, view.measures.findIndex((m) => m.title === view.first));
    part("measure").replaceChildren(
      ...view.measures.map((measure, i) => new Option(measure.title, i, false, i === chosen)),
    );
    part("measure").closest("label").hidden = !view.measures.length;
    timeline.measure = chosen;
    stage.show(view);
    timeline.show(view);
    seek(0);
  }

  const chooser = document.getElementById("recording");
  chooser?.addEventListener("change", () => show(Number(chooser.value)));
  chooser?.closest("label").removeAttribute("hidden");
  let width = innerWidth;
  addEventListener("resize", () => {
    stage.resize();
    if (innerWidth !== width) timeline.build();
    width = innerWidth;
  });
  const themed = () => {
    stage.useTheme();
    stage.draw();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themed);
  document.getElementById("theme").addEventListener("change", themed);
  player.hidden = false;
  show(0);
  if (!still.matches) play();
})();
