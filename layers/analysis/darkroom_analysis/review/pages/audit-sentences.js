// Entries of the audit log as sentences. Pure functions.

import { moment } from './times.js';

const PROGRAMS = { monitor: 'The monitor', codedeploy: 'CodeDeploy', forget: 'The erasure function', custody: 'The custody function', 'a person': 'A person' };
const DEPLOYED = { START: 'started', SUCCESS: 'completed', FAILURE: 'could not complete', STOP: 'stopped' };
const ACCESSED = { received: 'stored a copy of the upload of', read: 'read the report about', hold: 'set a legal hold on', released: 'removed the legal hold of', exported: 'exported the report about' };
const DIGEST = /^sha256:([0-9a-f]{12})[0-9a-f]*$/;

// An identity of AWS has account and type before the name.
const who = by => (PROGRAMS[by || 'a person'] || by).replace(/^arn:[^/]*\//, '');
const image = subject => `the image ${DIGEST.exec(subject)?.[1] || subject}`;
const count = (number, one) => `${number} ${one}${Number(number) === 1 ? '' : 's'}`;
const why = reason => (reason?.length ? `, with the reason “${[reason].flat().join('; ')}”` : '');

const describeSwitch = (name, on, { until_s, reason }) => `turned the switch ${name} ${on ? 'on' : 'off'}`
  + `${on && until_s ? ` until ${moment(until_s)}` : ''}${why(reason)}`;

function describeRedrive(subject, { redriven, left, codes }) {
  const causes = Object.entries(codes || {}).map(([code, number]) => `${number} × ${code === 'none' ? 'no cause' : code}`);
  return `returned ${count(redriven, 'message')} of the DLQ of ${subject.replace(/ dead letters$/, '')} to the queue`
    + `${causes.length ? ` (${causes.join(', ')})` : ''}${left ? `, and left ${left} there` : ''}`;
}

function describeCanary(endpoint, { action, canary, incumbent, reasons }) {
  const variant = `the model variant ${canary} of the endpoint ${endpoint}`;
  return (action === 'promote' ? `promoted ${variant}, which replaces ${incumbent}` : `rolled ${variant} back to ${incumbent}`) + why(reasons);
}

const describeExperiment = (name, { action, stopped, winner, reason }) => (action === 'promote'
  ? `ended the experiment ${name} with the winner ${winner}` : `stopped the variant ${stopped} of the experiment ${name}`) + why(reason);

function describeDecision(subject, facts) {
  if (facts.move) return describeSwitch(subject, facts.move === 'on', facts);
  if (facts.redriven !== undefined) return describeRedrive(subject, facts);
  if (facts.canary) return describeCanary(subject, facts);
  if (subject.startsWith('experiment:')) return describeExperiment(subject.slice('experiment:'.length), facts);
  if (subject !== 'baseline') return '';
  return `created a baseline for drift from ${count(facts.n, 'sample')}, ${facts.why === 'request' ? 'on request' : 'as there was none'}`;
}

function describeOverride(subject, facts) {
  if (subject.startsWith('switch ')) return describeSwitch(subject.slice('switch '.length), facts.on, facts);
  if (facts.images !== undefined) return `reviewed the tags of ${count(facts.images, 'image')} in ${subject}`;
  const flagged = facts.flagged ? ', which was flagged' : '';
  if (facts.decision === 'release') return `released ${image(subject)}${flagged}`;
  return facts.decision === 'confirm' ? `decided that ${image(subject)} stays held${flagged}` : '';
}

function describeRelease(subject, { deployment_id: id, state, group, decision, why: reason }) {
  if (id) return DEPLOYED[state] ? `${DEPLOYED[state]} the deployment ${id} of ${group || subject}` : '';
  const done = { approve: 'approved', reject: 'rejected' }[decision];
  const [name, version] = subject.split('/').slice(-2);
  return done ? `${done} version ${version || name} of the model ${version ? name : ''}`.trim() + why(reason) : '';
}

function describeErasure(subject, { removed, failed }) {
  const objects = Object.values(removed || {}).reduce((sum, number) => sum + Number(number), 0);
  const places = Object.keys(failed || {});
  return `erased ${image(subject)}${removed ? `: ${count(objects, 'object')} removed` : ''}`
    + `${places.length ? `, not yet complete in ${places.join(', ')}` : ''}`;
}

const describeAccess = (subject, { action, record }) => (ACCESSED[action]
  ? `${ACCESSED[action]} ${image(subject)}${record ? ` (record ${record})` : ''}` : '');

const KINDS = { decision: describeDecision, override: describeOverride, release: describeRelease, erasure: describeErasure, access: describeAccess };

/** Return a sentence about an entry: who did what to what, and why; "" for an entry that is not known. */
export function describeEntry({ kind, subject, by, facts }) {
  const done = Object.hasOwn(KINDS, kind) ? KINDS[kind](String(subject), facts || {}) : '';
  return done && `${who(by)} ${done}.`;
}
