/* The theme, remembered where a page from a file may remember; pictures larger at a tap; all code
   shown or folded at once. */
(function () {
  "use strict";
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";

  function remembered() {
    try { return localStorage.getItem("theme"); } catch { return null; }
  }

  function remember(theme) {
    try { localStorage.setItem("theme", theme); } catch { /* a file that may keep nothing */ }
  }

  const theme = remembered(); // at once, before anything is drawn
  if (theme === "dark" || theme === "light") root.dataset.theme = theme;

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("button.theme");
    const name = () => (button.textContent = isDark() ? "Light" : "Dark");
    button.hidden = false;
    name();
    dark.addEventListener("change", name);
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      remember(root.dataset.theme);
      name();
    });

    document.querySelectorAll(".figure-box").forEach((box) => { // what is small to read, larger
      const shrunk = () => box.querySelector("img").clientWidth < 700;
      box.addEventListener("pointerenter", () => box.classList.toggle("zooms", shrunk()));
      box.addEventListener("click", () => {
        if (box.classList.contains("zoomed") || shrunk()) box.classList.toggle("zoomed");
      });
    });

    const unfold = document.querySelector("button.unfold");
    if (!unfold) return;
    const folds = document.querySelectorAll("details.source");
    unfold.hidden = !folds.length;
    unfold.addEventListener("click", () => {
      const open = unfold.getAttribute("aria-pressed") !== "true";
      folds.forEach((fold) => (fold.open = open));
      unfold.setAttribute("aria-pressed", open);
      unfold.textContent = open ? "Fold all code" : "Show all code";
    });
  });
})();
