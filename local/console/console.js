// The start page. Everything it shows is what the CDN answered to this very page.

const at = (id) => document.getElementById(id);

const DERIVATIVES = [
  ["what this browser accepts best", "w=800"],
  ["WebP", "w=800&f=webp"],
  ["AVIF", "w=800&f=avif"],
  ["JPEG", "w=800&f=jpeg"],
  ["the bare URL, at most 2560 px", ""],
  ["a preset: square, its most striking part", "preset=cover"],
  ["a preset for link previews", "preset=social"],
  ["cut to its centre", "w=600&h=300&fit=cover"],
  ["letterbox", "w=400&h=400&fit=letterbox&bg=b3261e"],
  ["turned and mirrored", "w=500&rot=90&flip=h"],
  ["black and white", "w=500&gray=1&con=15"],
  ["round corners, margin", "w=460&radius=60&pad=20&f=png"],
  ["blurred", "w=500&blur=8"],
  ["local contrast", "w=500&equalise=1"],
  ["watermark", "w=700&wm=logo,southeast,80,25"],
  ["what is known of it", "f=json"],
];

let stack;
let photo;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in made && key !== "list") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

const bytes = (count) => (count < 10_000 ? `${count} B` : count < 1e6 ? `${Math.round(count / 1000)} kB` : `${(count / 1e6).toFixed(1)} MB`);

const path = (key) => "/" + key.split("/").map(encodeURIComponent).join("/");

const target = (query) => path(photo) + (query ? `?${query}` : "");

const signed = async (url) => (await fetch(`/_local/sign?url=${encodeURIComponent(url)}`)).json();

function stages(header) {
  return (header ?? "").split(",").map((part) => part.trim().match(/^([\w-]+);dur=([\d.]+)/)).filter(Boolean)
    .map(([, name, spent]) => ({ name, spent: Number(spent) }));
}

function stagesBar(list) {
  const bar = element("div", { className: "stages", title: list.map(({ name, spent }) => `${name} ${spent} ms`).join(", ") });
  for (const { spent } of list) bar.append(element("i", { style: `flex: ${Math.max(spent, 0.1)}` }));
  return bar;
}

async function ask(url) {
  const started = performance.now();
  const answer = await fetch(url, { cache: "no-store" });
  const body = await answer.blob();
  return { answer, body, took: performance.now() - started };
}

function frame(answer, body, alternative) {
  if (answer.ok && body.type.startsWith("image/")) {
    return element("img", { src: URL.createObjectURL(body), alt: alternative });
  }
  const text = element("pre");
  body.text().then((content) => { text.textContent = body.type.includes("json") ? JSON.stringify(JSON.parse(content), null, 1) : content; });
  return text;
}

async function print(slot, title, query) {
  const wanted = await signed(target(query));
  const { answer, body, took } = await ask(wanted.url ?? target(query));
  const cache = (answer.headers.get("x-cache") ?? "").split(" ")[0];
  const spent = stages(answer.headers.get("server-timing"));
  const picture = frame(answer, body, title);
  const size = element("span");
  if (picture.tagName === "IMG") picture.onload = () => { size.textContent = `${picture.naturalWidth} × ${picture.naturalHeight} · `; };
  slot.replaceChildren(
    element("div", { className: "frame" }, picture),
    element("div", { className: "facts" },
      element("span", { className: "what" }, title),
      element("a", { href: wanted.url ?? target(query) }, element("code", {}, target(query))),
      element("span", { className: "numbers" }, size, `${bytes(body.size)} · ${body.type}`),
      element("span", { className: "numbers" },
        element("span", { className: `cache ${cache}` }, cache || "?"),
        ` ${Math.round(took)} ms${wanted.signed ? " · signed" : ""}`),
      ...(spent.length && cache === "Miss" ? [stagesBar(spent), element("span", { className: "numbers" },
        spent.map(({ name, spent: ms }) => `${name} ${Math.round(ms)}`).join(" · ") + " ms")] : []),
    ),
  );
}

async function showPrints() {
  at("chosen").textContent = photo;
  const slots = DERIVATIVES.map(() => element("article", { className: "print" }));
  at("prints").replaceChildren(...slots);
  const waiting = DERIVATIVES.map(([title, query], index) => () => print(slots[index], title, query));
  const worker = async () => { while (waiting.length) await waiting.shift()(); };
  await Promise.all([worker(), worker()]);
}

function choose(key) {
  photo = key;
  for (const button of at("photos").children) button.setAttribute("aria-selected", String(button.dataset.key === key));
  showPrints();
}

function showPhotos() {
  at("photos").replaceChildren(...stack.photos.map((key) => element("button", {
    type: "button", role: "option", "data-key": key, onclick: () => choose(key),
  }, element("img", { src: `${path(key)}?w=320`, alt: "", loading: "lazy" }), element("span", {}, key))));
}

function control({ name, kind, rule, expects }) {
  const words = kind === "flag" ? ["0", "1"] : name === "preset" ? Object.keys(stack.presets) : ["choice", "wholeChoice"].includes(kind) ? rule.words : null;
  if (words) return element("select", { name }, element("option", { value: "" }, "—"), ...words.map((word) => element("option", {}, word)));
  if (kind === "whole" || kind === "fixed") {
    return element("input", { name, type: "number", min: rule.low, max: rule.high, step: rule.step ?? 1 });
  }
  const list = rule.words && element("datalist", { id: `words-${name}` }, ...rule.words.map((word) => element("option", { value: word })));
  const input = element("input", { name, placeholder: kind === "colour" ? "ff8800" : "", title: expects, ...(list && { list: list.id }) });
  return list ? element("span", {}, input, list) : input;
}

function showForm() {
  at("fields").replaceChildren(...stack.options.filter(({ kind }) => kind !== "reserved").map((option) => element("label", {
    "data-option": option.name, title: option.expects,
  }, element("b", {}, `${option.name} · ${option.label}`), control(option), element("small", {}, option.doc))));
}

function table(answer) {
  const shown = ["content-type", "content-length", "cache-control", "etag", "x-cache", "age", "server-timing", "content-disposition", "vary"];
  const rows = shown.filter((name) => answer.headers.has(name)).map((name) => element("tr", {},
    element("td", {}, name), element("td", {}, element("code", {}, answer.headers.get(name)))));
  return element("table", {}, element("tbody", {}, ...rows));
}

function mark(option) {
  for (const label of at("fields").children) label.classList.toggle("bad", Boolean(option) && label.dataset.option === option);
}

async function make(event) {
  event.preventDefault();
  const given = [...new FormData(at("form"))].filter(([, value]) => value !== "");
  const query = given.map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%2C", ",").replaceAll("%3A", ":")}`).join("&");
  const wanted = await signed(target(query));
  mark(wanted.option);
  if (!wanted.url) {
    at("made").replaceChildren(element("p", { className: "problem" }, `${wanted.status} ${wanted.code}: ${wanted.detail}`));
    return;
  }
  const { answer, body, took } = await ask(wanted.url);
  at("made").replaceChildren(
    element("p", {}, element("a", { href: wanted.url }, element("code", {}, wanted.url))),
    element("p", { className: "hint" }, "canonical ", element("code", {}, wanted.canonical), ` · ${answer.status} · ${bytes(body.size)} · ${Math.round(took)} ms`),
    frame(answer, body, wanted.url),
    table(answer),
  );
}

at("form").addEventListener("submit", make);
at("form").addEventListener("reset", () => { mark(); at("made").replaceChildren(); });
at("again").addEventListener("click", showPrints);
at("restart").addEventListener("click", async () => { await fetch("/_local/cdn/restart", { method: "POST" }); await showPrints(); });

stack = await (await fetch("/_local/stack")).json();
at("summary").textContent = `Access mode ${stack.mode}: at most ${stack.unsigned_variants} derivatives of a photograph without a signature.`;
showPhotos();
showForm();
if (stack.photos.length) choose(stack.photos[0]);
else at("prints").replaceChildren(element("p", {}, "There is no photograph yet. Put one below masters/ in the media bucket."));
