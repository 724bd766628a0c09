/* The dialog with all that is known of one model. Every text is set as text, never as markup. */
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const boards = JSON.parse(document.getElementById("board-data").textContent);
  const dialog = document.getElementById("details");

  function make(name, attributes = {}, ...content) {
    const element = SVG_NAMES.has(name)
      ? document.createElementNS(SVG, name)
      : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...content);
    return element;
  }
  const SVG_NAMES = new Set(["svg", "g", "path", "circle", "rect", "line", "text"]);

  const bdi = (text) => make("bdi", {}, text);

  function scrollable(label, tall, ...content) {
    const name = tall ? "scroll tall" : "scroll";
    return make("div", { class: name, tabindex: 0, role: "region", "aria-label": label }, ...content);
  }

  /* A table; a cell is a text, or [text, small text]. The first column names the row. */
  function table(caption, heads, rows, numeric) {
    const css = (i) => (numeric(i) ? { class: "n" } : {});
    const cell = (content, i) => {
      const parts = Array.isArray(content)
        ? [content[0], make("small", {}, content[1])]
        : [content];
      return make(i ? "td" : "th", { ...css(i), ...(i ? {} : { scope: "row" }) }, ...parts);
    };
    return make(
      "table",
      { class: "small" },
      make("caption", { class: "hidden" }, caption),
      make("thead", {}, make("tr", {}, ...heads.map((h, i) => make("th", { scope: "col", ...css(i) }, h)))),
      make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map(cell)))),
    );
  }

  function properties(pairs) {
    const items = pairs.map(([key, value]) =>
      make("div", {}, make("dt", {}, key), make("dd", {}, bdi(value))),
    );
    return make("dl", { class: "grid" }, ...items);
  }

  function paper(entry) {
    const line = make("p", { class: "soft" }, entry.paper ?? "");
    if (!entry.doi) return line;
    line.append(" ");
    if (/^10\.\d{4,9}\/[^\s<>"]+$/.test(entry.doi)) {
      const href = `https://doi.org/${entry.doi}`;
      line.append(make("a", { href, rel: "noopener noreferrer" }, `doi ${entry.doi}`));
    } else {
      line.append(entry.doi);
    }
    return line;
  }

  /* Marks of the groups: each has a shape of its own, for those who do not tell colours apart. */
  const SHAPES = [
    (x, y) => make("circle", { cx: x, cy: y, r: 3.6 }),
    (x, y) => make("rect", { x: x - 3.2, y: y - 3.2, width: 6.4, height: 6.4 }),
    (x, y) => make("path", { d: `M${x} ${y - 4.4}l4.2 7.4h-8.4z` }),
    (x, y) => make("path", { d: `M${x} ${y - 4.8}l4.8 4.8l-4.8 4.8l-4.8 -4.8z` }),
    (x, y) => make("path", { d: `M${x} ${y + 4.4}l4.2 -7.4h-8.4z` }),
    (x, y) => make("path", { d: `M${x - 4} ${y - 1.3}h2.7v-2.7h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7z` }),
    (x, y) => make("rect", { x: x - 4.5, y: y - 1.6, width: 9, height: 3.2 }),
  ];
  const mark = (group, x, y) =>
    make("g", { class: `point group-${group % SHAPES.length}` }, SHAPES[group % SHAPES.length](x, y));

  function limits(board, chosen) {
    const values = chosen.flatMap((p) => [...p.true, ...p.predicted]);
    if (board.range) values.push(...board.range);
    let low = Infinity;
    let high = -Infinity;
    for (const value of values) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    return high > low ? [low, high] : [low - 1, low + 1];
  }

  function scale(low, high) {
    const raw = (high - low) / 5;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= raw);
    const marks = [];
    for (let i = Math.ceil(low / step); i * step <= high + step * 1e-9; i += 1) {
      marks.push(Number((i * step).toPrecision(6)));
    }
    return marks;
  }

  function scatter(board, chosen, title) {
    const [low, high] = limits(board, chosen);
    const [size, left, top] = [340, 48, 12];
    const at = (value) => ((value - low) / (high - low)) * size;
    const x = (value) => left + at(value);
    const y = (value) => top + size - at(value);
    const svg = make("svg", { viewBox: `0 0 ${left + size + 12} ${top + size + 44}`, role: "img", "aria-label": title });
    for (const tick of scale(low, high)) {
      svg.append(
        make("line", { class: "grid", x1: x(tick), x2: x(tick), y1: top, y2: top + size }),
        make("line", { class: "grid", x1: left, x2: left + size, y1: y(tick), y2: y(tick) }),
        make("text", { class: "tick", x: x(tick), y: top + size + 16, "text-anchor": "middle" }, `${tick}`),
        make("text", { class: "tick", x: left - 8, y: y(tick) + 4, "text-anchor": "end" }, `${tick}`),
      );
    }
    svg.append(
      make("line", { class: "diagonal", x1: x(low), y1: y(low), x2: x(high), y2: y(high) }),
      make("text", { class: "axis-title", x: left + size / 2, y: top + size + 38, "text-anchor": "middle" }, "true score, points"),
      make("text", { class: "axis-title", transform: `translate(12 ${top + size / 2}) rotate(-90)`, "text-anchor": "middle" }, "predicted score, points"),
    );
    for (const points of chosen) {
      points.group.forEach((group, i) => {
        svg.append(mark(group, x(points.true[i]), y(points.predicted[i])));
      });
    }
    return svg;
  }

  function legend(board, chosen) {
    const present = new Set(chosen.flatMap((points) => points.group));
    const items = board.groups.flatMap((name, i) =>
      present.has(i)
        ? [make("li", {}, make("svg", { viewBox: "0 0 16 16", class: "key", "aria-hidden": "true" }, mark(i, 8, 8)), bdi(name))]
        : [],
    );
    return make("ul", { class: "keys", "aria-label": "Groups of persons" }, ...items);
  }

  function predictions(board, entry) {
    if (!entry.points) return [make("p", { class: "soft" }, board.noPoints)];
    const known = board.exercises.filter(([id]) => entry.points[id]);
    const select = make(
      "select",
      {},
      make("option", { value: "" }, "all"),
      ...known.map(([id, title]) => make("option", { value: id }, `${id} ${title}`)),
    );
    const place = make("div", { class: "plot" });
    const draw = () => {
      const chosen = select.value ? [entry.points[select.value]] : known.map(([id]) => entry.points[id]);
      const drawn = chosen.reduce((sum, points) => sum + points.group.length, 0);
      const of = chosen.reduce((sum, points) => sum + points.of, 0);
      const part =
        drawn < of
          ? `${drawn} of the first seed's ${of} predictions, evenly chosen`
          : `${of} predictions of the first seed`;
      const title = `Predicted against true score of ${entry.name}: ${part}; on the dashed line the two are equal.`;
      place.replaceChildren(
        legend(board, chosen),
        scatter(board, chosen, title),
        make("p", { class: "soft" }, `${part}; on the dashed line both scores are equal.`),
      );
    };
    select.addEventListener("change", draw);
    draw();
    return [make("p", {}, make("label", {}, "Exercise ", select)), place];
  }

  function groups(entry) {
    const most = Math.max(...entry.byGroup.map(([, , mad]) => mad), Number.MIN_VALUE);
    const bar = (mad) =>
      make(
        "svg",
        { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
        make("rect", { width: (100 * mad) / most, height: 10 }),
      );
    const rows = entry.byGroup.map(([name, text, mad]) => [bdi(name), text, bar(mad)]);
    const made = table("MAD by group of persons", ["Group", "MAD, points", ""], rows, (i) => i === 1);
    made.classList.add("bars");
    return made;
  }

  function sheet(board, entry) {
    const close = make("button", { type: "button" }, "Close");
    close.addEventListener("click", () => dialog.close());
    const parts = [
      make("header", {}, make("h2", { id: "details-title" }, bdi(entry.name)), close),
      make("p", {}, entry.title),
      paper(entry),
    ];
    const section = (title, ...content) => parts.push(make("h3", {}, title), ...content);
    if (board.leak) {
      const text = `: ${board.leak}.`;
      parts.push(make("div", { class: "banner" }, make("p", {}, make("strong", {}, "⚠ These numbers leak"), text)));
    }
    parts.push(properties(entry.properties));
    if (entry.movement) {
      const text = "See recordings move, with their scores and what these rest on";
      parts.push(make("p", {}, make("a", { href: encodeURI(entry.movement) }, text)));
    }
    section("Predicted against true", ...predictions(board, entry));
    section(
      "By exercise",
      scrollable(
        "Metrics by exercise",
        false,
        table("Metrics by exercise, with 95 % intervals", ["Exercise", ...entry.metrics.head], entry.metrics.rows, (i) => i > 0),
      ),
    );
    if (entry.byGroup.length) section("Error by group", scrollable("Error by group", false, groups(entry)));
    if (entry.tests.length) {
      const heads = ["Against", "Difference of MAD", "95 % interval", "p, Wilcoxon", "p, permutation", "Significant"];
      section(
        "Person by person",
        make("p", { class: "soft" }, "Negative: this model's error is smaller. p-values are Holm-corrected."),
        scrollable("Tests", false, table("Paired tests", heads, entry.tests, (i) => i > 0)),
      );
    }
    if (entry.settings.length) section("Settings", properties(entry.settings));
    const heads = ["Exercise", "Fold", "Seed", "MAD", "Epochs", "Time", "Folder", "Key"];
    section(
      "Runs",
      ...entry.versions.map((text) => make("p", { class: "soft" }, text)),
      scrollable("Runs", true, table("Runs", heads, entry.runs, (i) => i > 0 && i < 6)),
    );
    return make("div", { class: "sheet" }, ...parts);
  }

  function open(row) {
    const board = boards[row.closest(".board").dataset.board];
    dialog.replaceChildren(sheet(board, board.entries[row.dataset.entry]));
    dialog.showModal();
    dialog.scrollTop = 0;
  }

  for (const row of document.querySelectorAll("tr[data-entry]")) {
    const name = row.querySelector(".name");
    const button = make("button", { type: "button", class: "name", "aria-haspopup": "dialog" }, ...name.childNodes);
    name.replaceWith(button);
    row.addEventListener("click", (event) => {
      const selecting = String(getSelection()) !== "";
      if (button.contains(event.target) || !selecting) open(row);
    });
  }
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
})();
