// A runbook of docs/runbooks: the subset of Markdown that runbooks use, rendered as elements, never as HTML.

import { CONTROL } from './control.js';
import { make } from './page.js';
import { empty, link, viewHash } from './watch-page.js';

// Render code, bold text and links within a line.
function inline(text) {
  const parts = text.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)]+\))/);
  return parts.filter(Boolean).map(part => {
    if (/^`.+`$/.test(part)) return make('code', { textContent: part.slice(1, -1) });
    if (/^\*\*.+\*\*$/.test(part)) return make('strong', { textContent: part.slice(2, -2) });
    const found = /^\[(.+)\]\((.+)\)$/.exec(part);
    if (!found) return part;
    const [, words, target] = found;
    const other = /^([\w-]+)\.md(#.*)?$/.exec(target);
    if (other) return link(words, viewHash('runbooks', other[1]));
    return /^https?:/.test(target) ? link(words, target, { rel: 'noreferrer' }) : make('span', { textContent: words });
  });
}

function command(lines) {
  const text = lines.join('\n');
  const shown = make('pre', { textContent: text });
  const copy = make('button', { type: 'button', className: 'quiet', textContent: 'Copy' });
  copy.onclick = async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = 'Copied';
    } catch { // not permitted, or not available without HTTPS
      getSelection().selectAllChildren(shown);
      copy.textContent = 'Selected';
    }
  };
  return make('div', { className: 'command' }, shown, copy);
}

const cells = line => line.replace(/^\||\|$/g, '').split(/(?<!\\)\|/).map(cell => cell.trim());
const tableRow = (tag, line) => make('tr', {}, ...cells(line).map(cell => make(tag, {}, ...inline(cell))));

// Each: pattern of its first line, pattern of further lines, and the renderer.
const BLOCKS = [
  [/^#+ /, /^\b\B/, ([line]) => make(`h${Math.min(6, line.indexOf(' ') + 1)}`, {}, ...inline(line.replace(/^#+ /, '')))],
  [/^```/, /^(?!```)/, lines => command(lines.slice(1))],
  [/^ {4}/, /^( {4}|\s*$)/, lines => command(lines.join('\n').trimEnd().split('\n').map(line => line.slice(4)))],
  [/^\|/, /^\|/, lines => make('table', { className: 'figures' },
    make('tbody', {}, ...lines.filter(line => !/^[|\s:-]+$/.test(line) || !line.includes('-')).map(line => tableRow('td', line))))],
  [/^[-*] /, /^([-*] |\s+\S)/, lines => items('ul', lines, /^[-*] /)],
  [/^\d+\. /, /^(\d+\. |\s+\S)/, lines => items('ol', lines, /^\d+\. /)],
  [/\S/, /^(?![-*#|] ?|\d+\. |```)\S/, lines => make('p', {}, ...inline(lines.join(' ')))],
];

function items(tag, lines, begins) {
  const found = [];
  for (const line of lines) {
    if (begins.test(line)) found.push([line.replace(begins, '')]);
    else found.at(-1).push(line);
  }
  return make(tag, {}, ...found.map(([first, ...rest]) => {
    const own = [];
    while (rest.length && !/^\s{5,}/.test(rest[0])) own.push(rest.shift().trim());
    const code = rest.map(line => line.trim()).filter(Boolean);
    return make('li', {}, ...inline([first, ...own].join(' ')), ...(code.length ? [command(code)] : []));
  }));
}

/** Return elements for the lines of a document. */
export function markdown(text) {
  const lines = text.split('\n');
  const made = [];
  while (lines.length) {
    const kind = BLOCKS.find(([first]) => first.test(lines[0]));
    const block = [lines.shift()];
    if (!kind) continue;
    while (lines.length && kind[1].test(lines[0])) block.push(lines.shift());
    if (block[0].startsWith('```')) lines.shift();
    made.push(kind[2](block));
  }
  return made;
}

/** Return the first commands of the runbook `name` with the text above them; nothing for a page without commands. */
export function renderFirstCommands(text, name) {
  const [, about, code] = /^## First commands\n(.*?)^```sh\n(.*?)^```$/ms.exec(text) || [];
  if (!code) return [];
  const made = command(code.trimEnd().split('\n'));
  const [shown, copy] = made.children;
  Object.assign(shown, { tabIndex: 0, role: 'region', ariaLabel: `First commands of the runbook ${name}` });
  copy.dataset.id = `copy ${name}`;
  return [...markdown(about), made];
}

/** Return the view of one runbook. */
export async function runbookView(root, { part }) {
  const answer = await fetch(`${CONTROL}/runbooks/${encodeURIComponent(part)}`);
  const body = answer.ok ? markdown(await answer.text()) : [empty(`Unknown runbook ${part}`, 'They are in docs/guides/runbooks.')];
  root.append(make('p', { className: 'back' }, link('← alarms', viewHash('alarms'))), make('article', { className: 'runbook-text' }, ...body));
  return async () => {};
}
