// Puts what has changed into the page, and at the end the report in its place.
const connection = document.getElementById("connection");
const source = new EventSource("events");
const say = (text) => {
  connection.textContent = text;
  connection.hidden = !text;
};
const put = (name, html) => {
  const place = document.getElementById(`part-${name}`);
  // What a reader has unfolded, or is reading off, stays so.
  const open = new Set([...place.querySelectorAll("details[open] > summary")].map((each) => each.textContent));
  const read = new Map([...place.querySelectorAll("figure[data-index]")].map((each) => [each.id, Number(each.dataset.index)]));
  place.innerHTML = html;
  for (const summary of place.querySelectorAll("details > summary")) summary.parentNode.open = open.has(summary.textContent);
  for (const figure of place.querySelectorAll("figure.plot")) {
    readOff(figure);
    if (read.has(figure.id)) figure.readOffAt(read.get(figure.id));
  }
};
source.addEventListener("open", () => say(""));
source.addEventListener("error", () => say("The connection is lost: what is shown is as it was. Looking for the run again ..."));
source.addEventListener("parts", (event) => Object.entries(JSON.parse(event.data)).forEach(([name, html]) => put(name, html)));
source.addEventListener("end", () => {
  source.close();
  say("The run is over, and left no report. What is shown is as it was.");
});
source.addEventListener("report", (event) => {
  source.close();
  const report = new DOMParser().parseFromString(JSON.parse(event.data), "text/html");
  document.title = report.title;
  document.body.replaceChildren(...report.body.childNodes);
  document.querySelectorAll("figure.plot").forEach(readOff);
});
