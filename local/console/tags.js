// Tags of an image as chips, and lists of images: those with a tag, and those similar to one.

import { json, sign } from './control.js';
import { allowedImage } from './derivative.js';
import { encodeKey, make } from './page.js';

const POLL_MS = 1000;
const POLLS = 60;
const PAGE = 12;

const folderOf = key => (key.includes('/') ? `${key.split('/')[0]}/` : key);

/** Send a request to the similarity API with a token for the folder of `key`; return the response, null for a failure. */
export async function search(key, path) {
  const { api, token } = await json(`/upload-token?prefix=${encodeURIComponent(folderOf(key))}`);
  const answer = await fetch(`${api}${path}`, { headers: { Authorization: `Bearer ${token}` } }).catch(() => null);
  return answer?.ok ? { ...await answer.json(), folder: folderOf(key) } : null;
}

/** Return cards of `results`, each a link to its image. */
export function cards(results) {
  return make('ul', { className: 'near' }, ...results.map(found => make('li', {},
    make('a', { href: `/#${encodeURIComponent(found.key)}` },
      allowedImage(`/${encodeKey(found.key)}?preset=cover`, sign, { alt: '' }),
      ...(found.copy ? [make('span', { className: 'chip miss', textContent: 'copy' })] : []),
      make('span', { className: 'score', textContent: `${found.key} · ${found.score.toFixed(2)}` })))));
}

/** Return a list of tags; with `choose`, each is a button that calls it with its name. */
export function tagChips(labels, choose) {
  const items = labels.map(({ name, score }) => {
    const chip = make(choose ? 'button' : 'span', { className: 'tag-chip', textContent: name });
    chip.title = `${Math.round(score * 100)} %`;
    if (choose) Object.assign(chip, { type: 'button', onclick: () => choose(name) });
    return make('li', {}, chip);
  });
  return items.length ? make('ul', { className: 'tag-chips' }, ...items) : make('p', { textContent: 'No tags' });
}

/** Show the images with `tag` in the folder of `key` in `target`, page by page. */
export async function showTagged(target, key, tag) {
  target.replaceChildren();
  const addPage = async after => {
    const query = `count=${PAGE}${after ? `&after=${encodeURIComponent(after)}` : ''}`;
    const found = await search(key, `/_tagged/${encodeURIComponent(tag)}?${query}`);
    if (!after) target.replaceChildren(make('h3', {}, 'Images with the tag ', make('b', { textContent: tag })));
    target.querySelector('.more')?.remove();
    if (!found) {
      target.append(make('p', { className: 'note', textContent: 'The search failed.' }));
      return;
    }
    target.append(cards(found.results));
    if (found.next) {
      target.append(make('button', {
        type: 'button', className: 'quiet more', textContent: 'Show more', onclick: () => addPage(found.next),
      }));
    }
  };
  await addPage('');
}

/** Return the tags of `key` once it is analysed; null without inference, or if the analysis takes too long. */
export async function waitForTags(key) {
  for (let poll = 0; poll < POLLS; poll += 1) {
    const data = await json(`/findings?key=${encodeURIComponent(key)}`).catch(() => ({}));
    if (data.findings?.tasks.tags) return data.findings.tasks.tags.labels || [];
    if (data.state !== 'pending' && !data.findings?.pending.includes('tags')) return null;
    await new Promise(resolve => { setTimeout(resolve, POLL_MS); });
  }
  return null;
}
