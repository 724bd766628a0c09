"use strict";
/* Light, dark, or as the system has it. */
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const choice = document.getElementById("theme");
  const show = (name) => {
    if (name) root.dataset.theme = name;
    else delete root.dataset.theme;
  };
  let kept = "";
  try {
    kept = localStorage.getItem("zoo-theme") ?? "";
  } catch {
    /* a page opened from a file may have no storage */
  }
  choice.value = ["light", "dark"].includes(kept) ? kept : "";
  show(choice.value);
  choice.addEventListener("change", () => {
    show(choice.value);
    try {
      localStorage.setItem("zoo-theme", choice.value);
    } catch {
      /* then it lasts as long as the page */
    }
  });
  choice.closest("label").hidden = false;
})();
