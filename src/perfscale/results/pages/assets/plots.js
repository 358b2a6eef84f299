// Reads a plot off: at the pointer, or with the slider below it, which a keyboard moves too.
// Without it the page says the same, in tables.
"use strict";
const readOff = (figure) => {
  const data = JSON.parse(figure.querySelector("script").textContent);
  const canvas = figure.querySelector(".canvas");
  const cursor = figure.querySelector(".cursor");
  const reader = figure.querySelector(".reader");
  const slider = reader.querySelector("input");
  const legend = [...figure.querySelectorAll(".legend li")];

  const show = (index) => {
    const text = (value) => (value === null ? "–" : value.toLocaleString("en", { maximumSignificantDigits: 6 }));
    slider.value = index;
    figure.dataset.index = index;
    cursor.hidden = false;
    cursor.style.left = `${100 * data.places[index]}%`;
    reader.querySelector("b").textContent = text(data.at[index]);
    const shown = legend.map((item, number) => {
      const value = text(data.values[number][index]);
      item.querySelector("b").textContent = value;
      return `${item.firstChild.nextSibling.textContent.trim()} ${value}`;
    });
    slider.setAttribute("aria-valuetext", `${text(data.at[index])}: ${shown.join(", ")}`);
  };
  const point = (event) => {
    const box = canvas.getBoundingClientRect();
    const place = (event.clientX - box.left) / box.width;
    const after = data.places.findIndex((each) => each >= place);
    if (after < 0) return show(data.places.length - 1);
    // A step holds until the next one begins; on a line the nearest place is meant.
    const reach = data.steps ? 1 : 0.5;
    const before = after > 0 && place < data.places[after - 1] + reach * (data.places[after] - data.places[after - 1]);
    show(before ? after - 1 : after);
  };
  canvas.addEventListener("pointermove", point);
  canvas.addEventListener("pointerdown", point);
  slider.addEventListener("input", () => show(Number(slider.value)));
  reader.hidden = false;
  figure.readOffAt = show;
};
document.querySelectorAll("figure.plot").forEach(readOff);
