/* Players: the cursor follows the sound, notes light up, clicks and keys seek, one sounds at a time.
   It may run many times in a page: each run takes the players that none has taken before. */
(function () {
  "use strict";
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const clock = (seconds) =>
    Math.floor(seconds / 60) + ":" + String(Math.floor(seconds % 60)).padStart(2, "0");

  function start(figure) {
    figure.musiclibPlayer = true;
    const part = (name) => figure.querySelector(name);
    const audio = part("audio"), button = part(".mlp-play"), time = part(".mlp-time");
    const view = part(".mlp-window"), roll = part(".mlp-roll"), cursor = part(".mlp-cursor");
    const boxes = figure.querySelectorAll(".mlp-roll i");
    const piece = JSON.parse(part("script[type='application/json']").textContent);
    const length = piece.step * piece.steps;
    const title = audio.getAttribute("aria-label");
    const sounding = Array.from({ length: piece.steps }, () => []);
    piece.notes.forEach(([onset, end], note) => {
      for (let step = onset; step < end; step++) sounding[step].push(boxes[note]);
    });
    let lit = [], litStep = -1, following = true, dragging = false, next = 0;

    function light(step) {
      if (step === litStep) return;
      litStep = step;
      lit.forEach((box) => box.classList.remove("mlp-lit"));
      lit = sounding[step] || [];
      lit.forEach((box) => box.classList.add("mlp-lit"));
    }

    function follow(share) {
      const at = share * roll.offsetWidth, wide = view.clientWidth;
      if (!following || dragging || roll.offsetWidth <= wide) return;
      const seen = at >= view.scrollLeft && at <= view.scrollLeft + 0.9 * wide;
      if (!still.matches) view.scrollLeft = at - 0.4 * wide;
      else if (!seen) view.scrollLeft = at - 0.1 * wide; // pages turn, nothing glides
    }

    function draw() {
      const now = Math.min(audio.currentTime, length), share = now / length;
      const step = Math.min(Math.floor(now / piece.step + 1e-6), piece.steps - 1);
      const bar = Math.floor(step / piece.bar) + 1;
      cursor.style.transform = "translateX(" + share * 100 + "%)";
      time.textContent = clock(now) + " / " + clock(length);
      roll.setAttribute("aria-valuenow", now.toFixed(1));
      roll.setAttribute("aria-valuetext", clock(now) + ", bar " + bar);
      light(now > 0 && now < length ? step : -1);
      follow(share);
    }

    function frame() {
      draw();
      cancelAnimationFrame(next);
      if (!audio.paused) next = requestAnimationFrame(frame);
    }

    function toggle() {
      following = true;
      if (!audio.paused) return audio.pause();
      if (audio.currentTime > length - 0.05) audio.currentTime = 0; // from what fades away, again
      audio.play().catch(failed);
    }

    function seek(seconds) {
      following = true;
      audio.currentTime = Math.max(0, Math.min(seconds, length));
      draw();
    }

    function seekTo(event) {
      const box = roll.getBoundingClientRect();
      seek(((event.clientX - box.left) / box.width) * length);
    }

    // After quick seeks Chromium may wait for ever, with all sound at hand: a seek to here wakes it
    function wake() {
      const waits = !audio.paused && !audio.seeking && audio.readyState < audio.HAVE_FUTURE_DATA;
      if (waits) audio.currentTime = audio.currentTime;
    }

    function failed() {
      if (audio.error) time.textContent = "the sound cannot be played";
    }

    function state() {
      figure.classList.toggle("mlp-playing", !audio.paused);
      button.setAttribute("aria-label", (audio.paused ? "Play " : "Pause ") + title);
      frame();
    }

    const beat = 4 * piece.step, bar = piece.bar * piece.step;
    const keys = {
      " ": toggle,
      ArrowLeft: () => seek(audio.currentTime - beat),
      ArrowRight: () => seek(audio.currentTime + beat),
      ArrowDown: () => seek(audio.currentTime - beat),
      ArrowUp: () => seek(audio.currentTime + beat),
      PageUp: () => seek(audio.currentTime + bar),
      PageDown: () => seek(audio.currentTime - bar),
      Home: () => seek(0),
      End: () => seek(length),
    };
    figure.addEventListener("keydown", (event) => {
      const own = event.target === roll || (event.target === button && event.key !== " ");
      if (!own || !keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      keys[event.key]();
    });
    roll.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch" || event.button) return; // a finger scrolls, a tap seeks
      dragging = true;
      roll.setPointerCapture(event.pointerId);
      seekTo(event);
    });
    roll.addEventListener("pointermove", (event) => dragging && seekTo(event));
    roll.addEventListener("lostpointercapture", () => (dragging = false));
    roll.addEventListener("click", (event) => event.detail && seekTo(event));
    view.addEventListener("wheel", () => (following = false), { passive: true });
    view.addEventListener("touchmove", () => (following = false), { passive: true });
    button.addEventListener("click", toggle);
    ["play", "pause", "ended"].forEach((name) => audio.addEventListener(name, state));
    ["seeked", "timeupdate"].forEach((name) => audio.addEventListener(name, draw));
    audio.addEventListener("waiting", () => setTimeout(wake, 500));
    audio.addEventListener("error", failed);

    audio.removeAttribute("controls");
    [button, time, cursor].forEach((element) => (element.hidden = false));
    const slider = { role: "slider", tabindex: 0, "aria-valuemin": 0, "aria-valuemax": length };
    Object.entries(slider).forEach(([name, value]) => roll.setAttribute(name, value));
    // JupyterLab's own keys, such as "a" for a new cell, are not meant while one of these has focus
    [roll, button, part("a")].forEach((element) => element.setAttribute("data-lm-suppress-shortcuts", ""));
    draw();
    failed();
  }

  function startAll() {
    document.querySelectorAll(".mlp").forEach((figure) => figure.musiclibPlayer || start(figure));
  }

  function alone(event) {
    document.querySelectorAll(".mlp audio").forEach((audio) => {
      if (audio !== event.target && event.target.closest(".mlp")) audio.pause();
    });
  }

  document.addEventListener("play", alone, true);
  document.addEventListener("DOMContentLoaded", startAll);
  startAll();
})();
