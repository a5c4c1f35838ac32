// The review app: signing in and out, and one view at a time by the role of the account.

import { request, send } from './api.js';
import { auditView } from './audit.js';
import { element, make } from './page.js';
import { playgroundView } from './playground.js';
import { reviewView } from './review.js';
import { empty, link, parseHash, viewHash } from './view.js';

const WANTED = 'darkroom-view';

// Each view: its title, the function that opens it, the role that it needs, and how often it is updated.
const VIEWS = {
  review: { title: 'Review', open: reviewView, role: 'reviewer', everyMs: 5000 },
  audit: { title: 'Audit log', open: auditView, role: 'reviewer', everyMs: 30_000 },
  playground: { title: 'URL playground', open: playgroundView, role: 'developer' },
};

const shown = { number: 0, timer: 0, session: null };
const allowed = () => Object.entries(VIEWS).filter(([, view]) => shown.session.roles.includes(view.role));

function signInLink(text) {
  const made = link(text, 'sign-in', { className: 'button' });
  made.onclick = () => sessionStorage.setItem(WANTED, location.hash);
  return made;
}

function showSignedOut(message) {
  clearTimeout(shown.timer);
  shown.number += 1;
  element('tabs').replaceChildren();
  element('account').replaceChildren();
  element('view').replaceChildren(make('section', {}, empty(message, 'Accounts are created by an administrator.'), signInLink('Sign in')));
}

async function signOut() {
  const { location: next } = await send('sign-out', {});
  location.assign(next);
}

function report(error) {
  if (error.status === 401) {
    element('trouble').replaceChildren('Your session has ended. ', signInLink('Sign in again'));
    clearTimeout(shown.timer);
  } else {
    element('trouble').textContent = error.message;
  }
}

async function round(number, view, refresh) {
  clearTimeout(shown.timer);
  try {
    await refresh();
    if (number !== shown.number) return;
    element('trouble').replaceChildren();
  } catch (error) {
    if (number !== shown.number) return;
    report(error);
    if (error.status === 401) return;
  }
  shown.timer = setTimeout(() => (document.hidden ? null : round(number, view, refresh)), view.everyMs);
}

async function open() {
  const { view: asked } = parseHash(location.hash);
  const views = allowed();
  const [name, view] = views.find(([each]) => each === asked) || views[0] || [];
  clearTimeout(shown.timer);
  shown.number += 1;
  const { number } = shown;
  element('tabs').replaceChildren(...views.map(([each, { title }]) => {
    const tab = link(title, viewHash(each));
    if (each === name) tab.setAttribute('aria-current', 'page');
    return tab;
  }));
  const root = make('section', {});
  element('view').replaceChildren(root);
  if (!view) {
    root.append(empty('Your account has no role', 'An administrator adds it to the group reviewer or developer. Then sign out and in again.'));
    return;
  }
  document.title = `${view.title} · Darkroom`;
  root.append(make('h2', { className: 'spoken', textContent: view.title }));
  try {
    const refresh = await view.open(root, { session: shown.session });
    if (number !== shown.number || !refresh) return;
    shown.refresh = () => round(number, view, refresh);
    await shown.refresh();
  } catch (error) {
    if (number === shown.number) report(error);
  }
}

async function start() {
  const failed = new URLSearchParams(location.search).get('sign-in') === 'failed';
  if (failed) history.replaceState(null, '', location.pathname + location.hash);
  try {
    shown.session = await request('session');
  } catch (error) {
    if (error.status !== 401) throw error;
    showSignedOut(failed ? 'The sign-in did not succeed' : 'Sign in to continue');
    return;
  }
  const wanted = sessionStorage.getItem(WANTED);
  sessionStorage.removeItem(WANTED);
  if (wanted && !location.hash) history.replaceState(null, '', wanted);
  const leave = make('button', { type: 'button', className: 'quiet', textContent: 'Sign out', onclick: () => signOut().catch(report) });
  element('account').replaceChildren(make('span', { className: 'person', textContent: shown.session.name }), leave);
  window.addEventListener('hashchange', () => { if (location.hash !== '#view') open(); });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) shown.refresh?.(); });
  await open();
}

start().catch(report);
