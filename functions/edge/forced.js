// Applies forced options: darkroom.plan.forced_options. Rules are validated when they are published: their prefixes are
// percent-encoded as readKey does it.

const redactionOf = (rules, key, plan) => isData(plan.f) ? '' : !rules ? plan.redact
    : redactions(rules.split(',').reduce((found, rule) => {
        const parts = rule.split('=');
        return key.startsWith(parts[0]) ? found.concat(parts[1].split('-')) : found;
    }, (plan.redact || '').split('-')));

const isUnmarked = plan => /^none-/.test(plan.wm);

// Returns the watermark of the longest prefix: the last one.
const markOf = (rules, key, plan) => isData(plan.f) || isUnmarked(plan) ? ''
    : (rules || '').split(',').reduce((found, rule) => {
        const parts = rule.split(':');
        return parts[1] && key.startsWith(parts[0]) ? parts[1] : found;
    }, '');
