/* The controls of the tables: sort, choose exercise and metric, filter, hide columns. */
(() => {
  const each = (within, selector, act) => within.querySelectorAll(selector).forEach(act);

  /* What a cell is sorted by: a number, else its text; null where there is none. */
  function sortValue(row, key, numeric) {
    const cell = row.querySelector(`[data-col="${key}"]`);
    const value = cell?.dataset.value;
    if (value === undefined) return null;
    return numeric ? Number(value) : value;
  }

  function sort(table, head, descending) {
    const key = head.dataset.col;
    const numeric = head.classList.contains("n");
    each(table, "thead th", (th) => th.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const compare = (a, b) => {
      if (a === null || b === null) return (a === null) - (b === null);
      const order = numeric ? a - b : a.localeCompare(b);
      return descending ? -order : order;
    };
    each(table, "tbody", (body) => {
      const rows = [...body.rows].filter((row) => !row.classList.contains("divider"));
      const values = new Map(rows.map((row) => [row, sortValue(row, key, numeric)]));
      rows.sort((a, b) => compare(values.get(a), values.get(b)));
      body.append(...rows);
    });
  }

  function sortable(table) {
    each(table, "thead th", (head) => {
      const button = document.createElement("button");
      button.type = "button";
      const title = head.querySelector(".head");
      title.replaceWith(button);
      button.append(title);
      button.addEventListener("click", () => {
        const first = head.dataset.first ?? "ascending";
        const now = head.getAttribute("aria-sort");
        const next = now === null ? first : now === "ascending" ? "descending" : "ascending";
        sort(table, head, next === "descending");
      });
    });
  }

  function columns(board) {
    const value = (name) => board.querySelector(`[data-control="${name}"]`).value;
    const off = new Set();
    each(board, "[data-toggle]", (box) => {
      if (!box.checked) off.add(box.dataset.toggle);
    });
    const shown = new Map();
    each(board, ".ranking thead th", (head) => {
      const { col, exercise, metric } = head.dataset;
      const chosen = (name, mine) => value(name) === "*" || value(name) === mine;
      const show = metric
        ? chosen("exercise", exercise) && chosen("metric", metric)
        : !off.has(col);
      shown.set(col, show);
    });
    each(board, ".ranking [data-col]", (cell) => {
      cell.hidden = !shown.get(cell.dataset.col);
    });
    const published = board.querySelector("[data-toggle-published]");
    if (published) board.querySelector("tbody.published").hidden = !published.checked;
  }

  function filter(board) {
    const family = board.querySelector('[data-control="family"]').value;
    const words = board.querySelector('[data-control="text"]').value.toLowerCase().split(/\s+/);
    const fits = (row) => {
      const text = row.textContent.toLowerCase();
      return words.every((word) => text.includes(word));
    };
    let ranked = 0;
    let all = 0;
    each(board, "tr[data-entry]", (row) => {
      row.hidden = !(fits(row) && (family === "*" || row.dataset.family === family));
      all += 1;
      ranked += !row.hidden;
    });
    let published = 0;
    each(board, "tbody.published tr:not(.divider)", (row) => {
      row.hidden = !fits(row);
      published += !row.hidden;
    });
    const divider = board.querySelector(".divider");
    if (divider) divider.hidden = published === 0;
    const also = divider ? `, ${published} published results` : "";
    board.querySelector(".result").textContent = `${ranked} of ${all} models${also}`;
  }

  function costs(board) {
    const choice = board.querySelector("[data-cost]");
    if (!choice) return;
    const show = () =>
      each(board, ".cost", (figure) => {
        figure.hidden = figure.dataset.axis !== choice.value;
      });
    choice.addEventListener("change", show);
    choice.closest(".control").hidden = false;
    show();
  }

  each(document, ".board", (board) => {
    const table = board.querySelector(".ranking");
    sortable(table);
    const menu = board.querySelector(".menu");
    each(board, ".controls select, [data-toggle], [data-toggle-published]", (control) =>
      control.addEventListener("change", () => {
        columns(board);
        filter(board);
      }),
    );
    board
      .querySelector('[data-control="text"]')
      .addEventListener("input", () => filter(board));
    menu.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && menu.open) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    });
    document.addEventListener("click", (event) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
    board.querySelector(".controls").hidden = false;
    filter(board);
    costs(board);
  });
})();
