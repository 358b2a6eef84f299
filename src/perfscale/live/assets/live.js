// Puts what has changed into the page, and at the end the report in its place.
const connection = document.getElementById("connection");
const source = new EventSource("events");
const say = (text) => {
  connection.textContent = text;
  connection.hidden = !text;
};
// The numbers behind a plot, which the report has in its own text: as many rows as a person reads.
const tabulate = (figure) => {
  const details = figure.querySelector("details");
  details.addEventListener("toggle", () => {
    if (!details.open || details.querySelector("table")) return;
    const data = JSON.parse(figure.querySelector("script").textContent);
    const every = Math.max(1, Math.ceil(data.at.length / 60));
    const names = [...figure.querySelectorAll(".legend li")].map((item) => item.firstChild.nextSibling.textContent.trim());
    const frame = details.appendChild(document.createElement("div"));
    frame.className = "table";
    frame.setAttribute("role", "region");
    frame.setAttribute("aria-label", details.querySelector("summary").textContent);
    frame.tabIndex = 0;
    const table = frame.appendChild(document.createElement("table"));
    const row = (part, texts, all) => {
      const cells = part.insertRow();
      texts.forEach((text, index) => {
        const cell = cells.appendChild(document.createElement(all || index === 0 ? "th" : "td"));
        if (all || index === 0) cell.scope = all ? "col" : "row";
        cell.textContent = typeof text === "number" ? text.toLocaleString("en", { maximumFractionDigits: 6 }) : text;
      });
    };
    row(table.createTHead(), [figure.querySelector("p.unit").textContent, ...names], true);
    const body = table.createTBody();
    data.at.forEach((at, index) => {
      if (index % every === 0) row(body, [at, ...data.values.map((values) => values[index])]);
    });
    if (every > 1) frame.insertAdjacentHTML("beforebegin", `<p>One in ${every} of the ${data.at.length} points that are drawn.</p>`);
  });
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
    tabulate(figure);
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
